import { Group, Text } from '@mantine/core';
import type { OverviewView } from '../../../src/api.js';
import { OUTCOMES, Time } from '../parts/values.js';

const HEIGHT = 100;
const BAR = 8;
const STEP = 10;

/** Decisions over time, stacked by outcome; for a screen reader, one sentence and the same numbers above. */
export function ActivityBars({ activity: { bars, barMinutes } }: { activity: OverviewView['activity'] }) {
  const peak = Math.max(1, ...bars.map((bar) => bar.ALLOW + bar.REVIEW + bar.DENY));
  const first = bars[0];
  if (!first) return null;
  const unit = barMinutes === 1 ? 'minute' : `${barMinutes} minutes`;
  return (
    <div>
      <svg
        className="bars"
        viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Decisions by outcome, one bar for each ${unit}; the highest bar is ${peak}`}
      >
        {bars.map((bar, i) => {
          let top = HEIGHT;
          return OUTCOMES.map((outcome) => {
            const height = (bar[outcome] / peak) * (HEIGHT - 2);
            top -= height;
            return height === 0 ? null : (
              <rect key={bar.from + outcome} className={outcome} x={i * STEP + 1} y={top} width={BAR} height={height} />
            );
          });
        })}
        <line className="axis" x1={0} x2={bars.length * STEP} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      </svg>
      <Group justify="space-between" mt={4}>
        <Text size="xs" c="dimmed">
          <Time at={first.from} only="clock" />
        </Text>
        <Text size="xs" c="dimmed">
          now
        </Text>
      </Group>
    </div>
  );
}
