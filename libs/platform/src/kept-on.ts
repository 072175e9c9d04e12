/**
 * What we know of an object of somebody else's that lives for a moment (a request, an answer, a connection), kept on the object itself.
 *
 * Not a `WeakMap`: a collection of the young generation takes what its entries hold for alive, also when the object is gone, and moves it to
 * the old one. The gateway's requests were kept so: of each record 23 KB survived, and collections took 10 to 18 ms instead of 3 to 6, those
 * of the old generation up to 200 (2026-11-23, Node 24). What lives for long (a key, a participant, a policy) may stand in a `WeakMap`.
 */
export class KeptOn<Target extends object, Value> {
  private readonly name = Symbol();

  get(target: Target): Value | undefined {
    return (target as Record<symbol, Value | undefined>)[this.name];
  }

  set(target: Target, value: Value): void {
    (target as Record<symbol, Value | undefined>)[this.name] = value;
  }
}
