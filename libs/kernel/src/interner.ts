/** Equal values become one object (interning), so that what is derived from it is derived once. Full, it forgets all and begins anew. */
export class Interner<T extends object> {
  private readonly known = new Map<string, T>();

  constructor(private readonly max: number) {}

  /** What was made for this key, or what `make` makes now. */
  intern(key: string, make: () => T): T {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= this.max) this.known.clear();
    const made = make();
    this.known.set(key, made);
    return made;
  }
}
