import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/**
 * The streams that are open, so that a door which stops can end them: what was read of a stream is answered, the rest is for another process.
 * Without it a stream keeps the door from closing.
 */
@Injectable()
export class OpenStreams implements BeforeApplicationShutdown {
  private readonly enders = new Set<() => void>();
  private stopping = false;

  /** Calls `end` when the door stops, at once if it is stopping already. What it returns forgets the stream. */
  add(end: () => void): () => void {
    if (this.stopping) end();
    this.enders.add(end);
    return () => this.enders.delete(end);
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
    for (const end of this.enders) end();
  }
}
