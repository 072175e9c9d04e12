import { Group, Text } from '@mantine/core';

export function Brand({ size = 26 }: { size?: number }) {
  return (
    <Group gap={10} wrap="nowrap">
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" fill="#24497b" />
        <g stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
          <path d="M8.5 9v14M14 9v14M19.5 9v14" />
          <path d="M5.5 21 25.5 11" stroke="#f2b84b" />
        </g>
      </svg>
      <Text fw={700} size="md" className="brand">
        Tallystick
      </Text>
    </Group>
  );
}
