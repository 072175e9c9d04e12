/** No lease of ours is longer, and nothing that failed waits longer for its next try. */
const leaseMsMax = 600_000;

/**
 * SQL: nobody holds what is leased until the time in `column`. A lease that ends later than any may was taken before the clock was set back,
 * and its holder may be long dead; if it is not, its epoch tells it at the next write.
 */
export function leaseIsOver(column: string): string {
  return `(${column} <= clock_timestamp() OR ${column} > clock_timestamp() + interval '${leaseMsMax} ms')`;
}
