/** A step of the demo whose effect was not what the story says. The demo then ends with a non-zero exit code. */
class StoryBroken extends Error {
  override readonly name = 'StoryBroken';
}

/** Tells the story on standard output and stops it at the first thing that is not as told. */
export class Narrator {
  private chapters = 0;
  private checks = 0;

  constructor(private readonly write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {}

  chapter(title: string): void {
    this.write(`\n${++this.chapters}. ${title}`);
  }

  say(line: string): void {
    this.write(`   ${line}`);
  }

  /** Something that must be so. */
  check(what: string, holds: boolean, seen?: unknown): void {
    if (!holds)
      throw new StoryBroken(`chapter ${this.chapters}: expected that ${what}${seen === undefined ? '' : `; saw ${JSON.stringify(seen)}`}`);
    this.checks++;
    this.write(`   ✓ ${what}`);
  }

  /** Waits until `look` finds something, at most `secondsMax`; the story breaks when it never does. */
  async until<T>(what: string, secondsMax: number, look: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + secondsMax * 1_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) {
        this.check(what, true);
        return found;
      }
      if (performance.now() > end) throw new StoryBroken(`chapter ${this.chapters}: waited ${secondsMax} s in vain for: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  end(): void {
    this.write(`\nThe whole story held: ${this.chapters} chapters, ${this.checks} checks.`);
  }
}
