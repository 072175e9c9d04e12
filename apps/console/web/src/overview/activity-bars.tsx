import { Group, Text } from '@mantine/core';
import type { OutcomeCounts } from '../../../src/api.js';
import { OUTCOMES, Time } from '../parts/values.js';

const HEIGHT = 100;
const BAR = 8;
const STEP = 10;

interface ActivityBarsProps {
  readonly bars: readonly OutcomeCounts[];
  readonly windowSeconds: number;
  readonly at: string;
}

/** Decisions over time, stacked by outcome; for a screen reader one sentence, the numbers stand above. */
export function ActivityBars({ bars, windowSeconds, at }: ActivityBarsProps) {
  const peak = Math.max(1, ...bars.map((bar) => bar.ALLOW + bar.REVIEW + bar.DENY));
  const start = new Date(Date.parse(at) - windowSeconds * 1000).toISOString();
  return (
    <div>
      <svg
        className="bars"
        viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Decisions by outcome over time, one bar for each ${windowSeconds / bars.length} seconds; the highest bar is ${peak}`}
      >
        {bars.map((bar, i) => (
          <Bar key={i} bar={bar} x={i * STEP + 1} peak={peak} />
        ))}
        <line className="axis" x1={0} x2={bars.length * STEP} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      </svg>
      <Group justify="space-between" mt={4}>
        <Text size="xs" c="dimmed">
          <Time at={start} only="clock" />
        </Text>
        <Text size="xs" c="dimmed">
          now
        </Text>
      </Group>
    </div>
  );
}

function Bar({ bar, x, peak }: { bar: OutcomeCounts; x: number; peak: number }) {
  let y = HEIGHT;
  return OUTCOMES.map((outcome) => {
    const height = (bar[outcome] / peak) * (HEIGHT - 2);
    y -= height;
    return height === 0 ? null : <rect key={outcome} className={outcome} x={x} y={y} width={BAR} height={height} />;
  });
}
