/** Which reader and which mutation serve a kind of file. */
import { readBar } from './bars.ts';
import { readListing } from './instruments.ts';
import type { Item, RecordedFile, Remarks } from './items.ts';
import { listingUpload } from './listings.ts';
import { readOrderBookMessages } from './order-book-messages.ts';
import { readOrderBooks } from './order-books.ts';
import { readQuote } from './quotes.ts';
import { eachRow, readRows } from './rows.ts';
import { readLines } from './source.ts';
import { readTrade } from './trades.ts';
import { candleUpload, orderBookUpload, priceUpload, type Upload } from './uploads.ts';

/** Takes the items of a file and the way to send them. */
export type Loading = <Input>(items: AsyncIterable<Item<Input>>, upload: Upload<Input>) => Promise<void>;

/** Reads the file into `load`, item by item. `onBytes` is told of each part of the file that was read. */
export function readFile(
  file: RecordedFile,
  remarks: Remarks,
  onBytes: (bytes: number) => void,
  load: Loading,
): Promise<void> {
  const lines = readLines({ path: file.path, csv: file.kind !== 'order-book-messages', onBytes });
  const rows = () => readRows(lines, remarks);
  const onRounded = () => void remarks.roundedSizes++;
  switch (file.kind) {
    case 'instruments':
      return load(eachRow(rows(), readListing), listingUpload);
    case 'bars':
      return load(
        eachRow(rows(), (fields) => readBar(fields, file)),
        candleUpload,
      );
    case 'trades':
      return load(
        eachRow(rows(), (fields) => readTrade(fields, file)),
        priceUpload,
      );
    case 'quotes':
      return load(
        eachRow(rows(), (fields) => readQuote(fields, file, onRounded)),
        priceUpload,
      );
    case 'order-books':
      return load(readOrderBooks(rows(), file), orderBookUpload);
    case 'order-book-messages':
      return load(readOrderBookMessages(lines, file, remarks), orderBookUpload);
  }
}
