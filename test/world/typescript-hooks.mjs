import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

let compile;

/** swc is faster, but its native code ends the whole process with a segmentation fault when a thread that has these hooks is terminated. */
export async function initialize({ isMainThread }) {
  compile = isMainThread ? await bySwc() : await byTypeScript();
}

async function bySwc() {
  const { transform } = await import('@swc/core');
  return async (text, filename) => (await transform(text, { filename, sourceMaps: 'inline' })).code;
}

async function byTypeScript() {
  const { default: ts } = await import('typescript');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, inlineSourceMap: true };
  return (text, fileName) => ts.transpileModule(text, { fileName, compilerOptions }).outputText;
}

/** Sources name their neighbours as they are called once built. */
export async function resolve(specifier, context, next) {
  const source =
    specifier.startsWith('.') &&
    specifier.endsWith('.js') &&
    context.parentURL?.endsWith('.ts') &&
    new URL(specifier.replace(/js$/, 'ts'), context.parentURL);
  return source && existsSync(source) ? { url: source.href, format: 'module', shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  return { format: 'module', source: await compile(await readFile(filename, 'utf8'), filename), shortCircuit: true };
}
