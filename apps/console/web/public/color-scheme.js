// Before the first paint: the chosen colour scheme, so that a dark room stays dark while the app loads.
(({ document, localStorage, matchMedia }) => {
  const chosen = localStorage.getItem('mantine-color-scheme-value');
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia.call(globalThis, '(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})(globalThis);
