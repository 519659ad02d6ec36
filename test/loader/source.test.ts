import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../clients/loader/rows.ts';
import { readFirstLine, readLines, UnreadableFile } from '../../clients/loader/source.ts';
import { collect, folder } from './support.ts';

async function linesOf(content: string | Buffer, csv = true) {
  const path = join(folder({ file: content }), 'file');
  let bytes = 0;
  const onBytes = (read: number) => {
    bytes += read;
  };
  const lines = await collect(readLines({ path, csv, onBytes }));
  return { lines: lines.map(({ number, cells }) => [number, ...cells]), bytes };
}

describe('the lines of a file', () => {
  it('are split at their commas and numbered as an editor numbers them', async () => {
    const { lines } = await linesOf('\uFEFFa,b\r\n1,2\n\n3,"4\r\n5');
    expect(lines).toEqual([
      [1, 'a', 'b'],
      [2, '1', '2'],
      [3, ''],
      [4, '3', '"4'],
      [5, '5'],
    ]);
  });

  it('stay whole where commas mean nothing', async () => {
    expect((await linesOf('{"a":1,"b":2}\n{}\n', false)).lines).toEqual([
      [1, '{"a":1,"b":2}'],
      [2, '{}'],
    ]);
  });

  it('are gunzipped by what the file holds, whatever its name', async () => {
    const packed = gzipSync('a,b\n1,2\n');
    expect(await linesOf(packed)).toEqual({
      lines: [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
      bytes: packed.length,
    });
  });

  it('are cut where they exceed 4 MiB, and those after them kept', async () => {
    const { lines } = await linesOf(`a\n${'x'.repeat(9_000_000)},1\nb\n${'y'.repeat(5_000_000)}`);
    expect(lines.map(([number, text]) => [number, String(text)[0], String(text).length])).toEqual([
      [1, 'a', 1],
      [2, 'x', 4_194_304],
      [3, 'b', 1],
      [4, 'y', 4_194_304],
    ]);
  });

  it('end with an error that names file and line where the file is damaged', async () => {
    const packed = gzipSync(Array.from({ length: 100_000 }, (_, index) => `${index},${index * 7}`).join('\n'));
    const path = join(folder({ 'damaged.gz': packed.subarray(0, packed.length / 2) }), 'damaged.gz');
    const read: number[] = [];
    const reading = (async () => {
      for await (const { number } of readLines({ path, csv: true })) read.push(number);
    })();
    await expect(reading).rejects.toThrow(UnreadableFile);
    await expect(reading).rejects.toThrow(
      new RegExp(`damaged.gz could not be read beyond line ${read.length}: unexpected end of file`),
    );
    expect(read.length).toBeGreaterThan(1_000);
  });

  it('begin with the first that is not blank', async () => {
    const path = folder({ a: '\n \nthird,1\n', b: '', c: '\n\n' });
    expect(await readFirstLine(join(path, 'a'))).toBe('third,1');
    expect(await readFirstLine(join(path, 'b'))).toBeNull();
    expect(await readFirstLine(join(path, 'c'))).toBeNull();
    await expect(readFirstLine(join(path, 'd'))).rejects.toThrow(/d could not be read: ENOENT/);
  });
});

describe('the rows of a csv file', () => {
  async function rowsIn(content: string) {
    const path = join(folder({ file: content }), 'file');
    const remarks = { rows: 0, roundedSizes: 0 };
    return { rows: await collect(readRows(readLines({ path, csv: true }), remarks)), counted: remarks.rows };
  }

  it('have the values by the names of the header, in any order', async () => {
    const { rows, counted } = await rowsIn('\nB,a\n1,2\n\n3,4\n');
    expect(rows).toEqual([
      { line: 3, fields: { b: '1', a: '2' } },
      { line: 5, fields: { b: '3', a: '4' } },
    ]);
    expect(counted).toBe(2);
  });

  it('may quote values', async () => {
    const { rows } = await rowsIn('name,tick\n"Foo, Inc",1\n"say ""hi""",2\n');
    expect(rows).toEqual([
      { line: 2, fields: { name: 'Foo, Inc', tick: '1' } },
      { line: 3, fields: { name: 'say "hi"', tick: '2' } },
    ]);
  });

  it('are refused one by one for a wrong count of columns or a broken quote', async () => {
    const { rows, counted } = await rowsIn('a,b\n1\n1,2,3\n"1,2\n1,2\n');
    expect(rows).toEqual([
      { line: 2, reason: 'the row must have 2 columns, but has 1' },
      { line: 3, reason: 'the row must have 2 columns, but has 3' },
      { line: 4, reason: 'the row has a quote that is not closed, or in the middle of a value' },
      { line: 5, fields: { a: '1', b: '2' } },
    ]);
    expect(counted).toBe(4);
  });
});
