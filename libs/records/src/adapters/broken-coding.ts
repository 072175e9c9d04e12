/** A body is not what its Content-Encoding says, or would take more memory to decode than we give it. */
export class BrokenCoding extends Error {
  override readonly name = 'BrokenCoding';
}
