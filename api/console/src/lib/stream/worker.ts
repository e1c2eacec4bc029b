/** The shared worker that holds the browser's one stream: HTTP/1.1 allows six connections to a host, over all tabs. */
import { Hub, PING } from './hub';
import type { FromTab } from './messages';

interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const hub = new Hub();
const scope = self as unknown as SharedWorkerScope;

scope.onconnect = ({ ports: [port] }) => {
  if (!port) return;
  port.onmessage = ({ data }: MessageEvent<FromTab>) => hub.receive(port, data);
};
setInterval(() => hub.ping(), PING);
