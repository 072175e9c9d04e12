import type { Server, TLSSocket } from 'node:tls';
import { Refusal } from '#kernel';

/** The connections that stand open. Those whose peer has lost its access are closed at once, whatever they are doing. */
export class OpenConnections {
  private readonly sockets = new Set<TLSSocket>();

  constructor(private readonly stillWelcome: (socket: TLSSocket) => void) {}

  watch(server: Server): void {
    server.on('secureConnection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** Judges everyone again. What may pass by itself (503) is left to the next request; a peer without a certificate has nothing to lose. */
  review(): number {
    const lost = [...this.sockets].filter((socket) => this.hasLostAccess(socket));
    for (const socket of lost) socket.destroy();
    return lost.length;
  }

  private hasLostAccess(socket: TLSSocket): boolean {
    try {
      this.stillWelcome(socket);
      return false;
    } catch (error) {
      return error instanceof Refusal && error.kind !== 'unavailable' && error.code !== 'certificate.missing';
    }
  }
}
