/** A process with a feed and one client of it, for tests that pause it. It tells its orders, and who it is, line by line. */
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { openFeed } from './feeds.ts';

const { feed, follow, close } = openFeed('trading', process.argv[2] as string, {});
const client = follow(orderTopic);
client.each(({ kind, row }) => process.stdout.write(`${kind} ${row?.orderId ?? ''}\n`));
const saying = setInterval(() => process.stdout.write(feed.isLeader() ? 'leads\n' : 'follows\n'), 100);

process.on('SIGTERM', async () => {
  clearInterval(saying);
  await close(); // and then nothing is left that keeps the process
});
