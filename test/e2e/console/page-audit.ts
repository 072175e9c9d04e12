import type { Page } from 'playwright-core';

/** Runs in the page: what a person who cannot see it, or has no mouse, would stumble over. Text, so that no DOM types are needed here. */
const AUDIT = `(() => {
  const found = [];
  const shown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
  const textOf = (ids) => ids.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  const nameOf = (element) =>
    element.getAttribute('aria-label') || textOf(element.getAttribute('aria-labelledby') ?? '') ||
    [...(element.labels ?? [])].map((label) => label.textContent).join(' ').trim() || element.getAttribute('title') ||
    (['INPUT', 'SELECT', 'TEXTAREA'].includes(element.tagName) ? '' : element.textContent.trim());
  const describe = (element) => element.outerHTML.slice(0, 120);
  for (const element of document.querySelectorAll('a, button, input, select, textarea, [role=button], [role=img], [role=progressbar]')) {
    if (shown(element) && element.type !== 'hidden' && !nameOf(element)) found.push('no name: ' + describe(element));
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push('id used twice: ' + id);
  for (const element of document.querySelectorAll('[aria-controls], [aria-labelledby], [aria-describedby]')) {
    for (const attribute of ['aria-labelledby', 'aria-describedby']) {
      for (const id of (element.getAttribute(attribute) ?? '').split(' ').filter(Boolean)) {
        if (!document.getElementById(id)) found.push(attribute + ' names nothing: ' + describe(element));
      }
    }
  }
  if (document.querySelectorAll('h1').length !== 1) found.push('one h1, not ' + document.querySelectorAll('h1').length);
  if (!document.documentElement.lang) found.push('no language');
  if (document.querySelectorAll('main').length !== 1) found.push('one main, not ' + document.querySelectorAll('main').length);
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('scrolls sideways: ' + document.documentElement.scrollWidth + ' > ' + innerWidth);
  const luminance = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !shown(element) || element.closest('[disabled], [aria-hidden=true], noscript, script, style, .skip')) continue;
    const style = getComputedStyle(element);
    const ground = groundOf(element);
    const [a, b] = [luminance(over(rgba(style.color), ground)), luminance(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push('contrast ' + ratio.toFixed(2) + ': "' + node.textContent.trim().slice(0, 40) + '"');
  }
  return [...new Set(found)];
})()`;

/** WCAG 2.2: names (4.1.2), unique ids, one heading and one main region, reflow (1.4.10), contrast (1.4.3). */
export async function auditPage(page: Page): Promise<string[]> {
  return (await page.evaluate(AUDIT)) as string[];
}
