import type { ReactNode } from 'react';

const PATHS = {
  overview: <path d="M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z" />,
  decisions: <path d="M12 3v5M12 8 5 15M12 8l7 7M5 15v5M19 15v5M3 20h4M17 20h4" />,
  audit: <path d="M5 3h10l4 4v14H5zM15 3v4h4M8.5 12h7M8.5 16h4" />,
  policies: <path d="M4 6h9M17 6h3M13 4v4M4 12h3M11 12h9M7 10v4M4 18h11M19 18h1M15 16v4" />,
  partners: <path d="M3 21h18M5 21V10M9.5 21V10M14.5 21V10M19 21V10M3 10l9-6 9 6z" />,
  search: <path d="M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2 21 21" />,
  copy: <path d="M9 9h11v11H9zM15 9V4H4v11h5" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  sun: <path d="M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2" />,
  moon: <path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z" />,
  leave: <path d="M14 4H5v16h9M10 12h11M17.5 8.5 21 12l-3.5 3.5" />,
  fact: <path d="M5 3h10l4 4v14H5zM15 3v4h4M8.5 12h7M8.5 16h4" />,
  consent: (
    <path d="M12 3 5 6v5.5c0 4.5 3 7.7 7 9.5 4-1.8 7-5 7-9.5V6zM12 8.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM8.5 17c.6-1.9 2-2.8 3.5-2.8s2.9.9 3.5 2.8" />
  ),
  record: <path d="M6 3h9l4 4v14H6zM15 3v4h4M9.5 15.5l2 2 3.5-4" />,
  score: <path d="M4 18a8 8 0 1 1 16 0M12 18l4-6" />,
  restriction: <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.8 5.8l12.4 12.4" />,
  decision: <path d="M12 3v5M12 8 5 15M12 8l7 7M5 15v5M19 15v5" />,
  reservation: <path d="M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3" />,
  statement: <path d="M4 5h16v14H4zM4 10h16M8 15h4" />,
  seal: <path d="M12 3 5 6v5.5c0 4.5 3 7.7 7 9.5 4-1.8 7-5 7-9.5V6zM9 12l2.2 2.2L15.2 10" />,
  wait: <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.5V12l3 2" />,
  download: <path d="M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14" />,
  alert: <path d="M12 4 2.5 20h19zM12 10v4.5M12 17.2v.3" />,
  menu: <path d="M4 7h16M4 12h16M4 17h16" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a text that says the same: never read out. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  );
}
