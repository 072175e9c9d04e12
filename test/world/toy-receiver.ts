import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { JsonWebKey } from '#evidence';
import { EventReceiver, FileEventLedger, type ReceivedEvent } from '#sdk';

/** A toy bank's webhook on real TLS with a real ledger: what it took, in its order. */
export interface ToyReceiver {
  readonly url: string;
  readonly heard: ReceivedEvent[];
  readonly server: Server;
  /** Replaced by a test that wants the bank to refuse or to stumble. */
  handle: (event: ReceivedEvent) => Promise<void>;
  close(): Promise<void>;
}

export interface ToyReceiverOptions {
  /** The installation's development PKI: its server certificate is for localhost. */
  readonly pki: string;
  readonly folder: string;
  readonly participant: string;
  readonly issuer: string;
  readonly keys: () => Promise<readonly JsonWebKey[]>;
}

export async function startToyReceiver({ pki, folder, participant, issuer, keys }: ToyReceiverOptions): Promise<ToyReceiver> {
  const read = (name: string) => readFileSync(path.join(pki, 'server', name), 'utf8');
  const ledger = await FileEventLedger.open(path.join(folder, `${participant}-events`));
  const server = createServer({ cert: read('cert.pem'), key: read('key.pem') });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const toy: ToyReceiver = {
    url: `https://localhost:${(server.address() as AddressInfo).port}/events`,
    heard: [],
    server,
    handle: () => Promise.resolve(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ledger.close();
    },
  };
  const handle = async (event: ReceivedEvent) => {
    await toy.handle(event);
    toy.heard.push(event);
  };
  const receiver = new EventReceiver({ url: toy.url, participant, issuer, keys, ledger, handle });
  server.on('request', receiver.listener());
  return toy;
}
