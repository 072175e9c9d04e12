import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** Ink on paper: one accent, so that green, amber and red stay free to mean ALLOW, REVIEW and DENY. */
const ink: MantineColorsTuple = [
  '#eef3fa',
  '#dce6f3',
  '#b7cbe5',
  '#8eaed8',
  '#6b95cc',
  '#5485c5',
  '#477cc2',
  '#3869ab',
  '#2d5c99',
  '#24497b',
];

/** Dark surfaces with a little blue in them. */
const dark: MantineColorsTuple = [
  '#d7dde7',
  '#b3bdcc',
  '#939fb3',
  '#6d7a91',
  '#434e61',
  '#333d4e',
  '#273040',
  '#1a212d',
  '#131922',
  '#0c1118',
];

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 8, dark: 7 },
  colors: { ink, dark },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace',
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem', lineHeight: '1.3' }, h2: { fontSize: '1.0625rem', lineHeight: '1.4' } },
  },
});
