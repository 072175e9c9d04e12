import { BrokenCoding } from './broken-coding.js';

/** What a decoder must keep of what it has told (RFC 8878 §3.1.1.1.2 recommends to support 8 MiB); `zstd` asks for more only with `--long` or `--ultra`. */
const windowBytesMax = 8 * 1024 * 1024;
/** RFC 8878 §3.1.1.2.4. */
const blockBytesMax = 128 * 1024;

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const HEADER_BYTES_MAX = 14;
const CHECKSUM_BYTES = 4;
const RESERVED = 0b1000;
const DICTIONARY = 0b11;
const CHECKSUM = 0b100;
const SINGLE_SEGMENT = 0b10_0000;

/**
 * Walks over the frames of a zstd body (RFC 8878) without decoding a byte, in front of the decoder: what would make that take much memory, or
 * what it would overlook at the end, is refused here. Checksums are left alone: the body as a whole has its digest.
 */
export class ZstdFrames {
  private readonly head = Buffer.alloc(HEADER_BYTES_MAX);
  private have = 0;
  private need = 4;
  private skip = 0;
  private frames = 0;
  private checksum = 0;
  private state: keyof typeof this.steps = 'magic';

  private readonly steps = {
    magic: () => this.begin(),
    descriptor: () => this.measureHeader(),
    header: () => this.checkWindow(),
    block: () => this.passBlock(),
    skippable: () => this.passOver(this.head.readUInt32LE(4), 'magic', 4),
  };

  /** Throws `BrokenCoding`. */
  see(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const passed = Math.min(this.skip, chunk.length - at);
      this.skip -= passed;
      at += passed;
      const taken = Math.min(this.need - this.have, chunk.length - at);
      this.head.set(chunk.subarray(at, at + taken), this.have);
      this.have += taken;
      at += taken;
      if (this.skip === 0 && this.have === this.need) this.steps[this.state]();
    }
  }

  /** The end must be the end of a frame. Throws `BrokenCoding`. */
  end(): void {
    if (this.frames === 0 || this.state !== 'magic' || this.have + this.skip > 0) throw new BrokenCoding('the body is not whole zstd');
  }

  private begin(): void {
    const magic = this.head.readUInt32LE(0);
    this.frames++;
    if (magic === FRAME) this.go('descriptor', 5);
    else if ((magic & ~0xf) >>> 0 === SKIPPABLE) this.go('skippable', 8);
    else throw new BrokenCoding('the body is not zstd');
  }

  private measureHeader(): void {
    const flags = this.head[4]!;
    if (flags & RESERVED) throw new BrokenCoding('the body is not zstd');
    if (flags & DICTIONARY) throw new BrokenCoding('compress without a dictionary');
    this.checksum = flags & CHECKSUM ? CHECKSUM_BYTES : 0;
    this.go('header', 5 + (flags & SINGLE_SEGMENT ? 0 : 1) + sizeBytesOf(flags));
  }

  private checkWindow(): void {
    if (windowOf(this.head, this.need) > windowBytesMax) throw new BrokenCoding('compress with a window of 8 MiB at most');
    this.passOver(0, 'block', 3);
  }

  private passBlock(): void {
    const header = this.head.readUIntLE(0, 3);
    const [isLast, type, size] = [(header & 1) === 1, (header >> 1) & 3, header >> 3];
    if (type === 3 || size > blockBytesMax) throw new BrokenCoding('the body is not zstd');
    const content = type === 1 ? 1 : size;
    if (isLast) this.passOver(content + this.checksum, 'magic', 4);
    else this.passOver(content, 'block', 3);
  }

  /** What is collected stays; more of it is needed. */
  private go(state: keyof typeof this.steps, need: number): void {
    this.state = state;
    this.need = need;
  }

  private passOver(bytes: number, state: keyof typeof this.steps, need: number): void {
    this.go(state, need);
    this.have = 0;
    this.skip = bytes;
  }
}

function sizeBytesOf(flags: number): number {
  const field = flags >> 6;
  if (field > 0) return 1 << field;
  return flags & SINGLE_SEGMENT ? 1 : 0;
}

/** RFC 8878 §3.1.1.1.2: said by its descriptor, or the whole content of a single segment. */
function windowOf(head: Buffer, headerBytes: number): number {
  const flags = head[4]!;
  if (!(flags & SINGLE_SEGMENT)) {
    const base = 2 ** (10 + (head[5]! >> 3));
    return base + (base / 8) * (head[5]! & 7);
  }
  const sizeBytes = sizeBytesOf(flags);
  if (sizeBytes === 8) return Number(head.readBigUInt64LE(5));
  return head.readUIntLE(headerBytes - sizeBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}
