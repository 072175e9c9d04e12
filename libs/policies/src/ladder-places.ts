import type { LadderDocument } from '#standing';

/** Every sanction of a ladder and where it stands. */
export function sanctionsOf(ladder: LadderDocument | undefined) {
  return (ladder?.rungs ?? []).flatMap(({ sanctions }, r) =>
    sanctions.map((sanction, s) => ({ sanction, pointer: `/ladder/rungs/${r}/sanctions/${s}` })),
  );
}
