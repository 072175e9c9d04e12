import ts from 'typescript';
import type { SourceFile } from './house.js';

/** What a file exports, by name, and what it takes of others: a name, or `*` for all. */
interface Doors {
  /** Where the name comes from: this file, or another of which it is handed on. */
  readonly exported: Map<string, { readonly isType: boolean; readonly from?: readonly [path: string, name: string] }>;
  readonly handedOn: string[];
  readonly taken: (readonly [path: string, name: string])[];
}

/** A value that is exported and that no other file imports, as `path: name`. Types are left alone: a signature needs them to be told. */
export function idleExports(files: readonly SourceFile[], imports: Readonly<Record<string, string>>): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const doors = new Map(files.map((file) => [file.path, doorsOf(file, (specifier) => targetOf(file.path, specifier, paths, imports))]));
  const used = new Set<string>();
  const take = (path: string, name: string): void => {
    if (used.has(`${path}: ${name}`)) return;
    used.add(`${path}: ${name}`);
    const door = doors.get(path);
    const from = door?.exported.get(name)?.from;
    if (from) take(...from);
    if (name === '*') for (const one of door?.exported.keys() ?? []) take(path, one);
    if (!door?.exported.has(name)) for (const next of door?.handedOn ?? []) take(next, name);
  };
  for (const { taken } of doors.values()) for (const [path, name] of taken) take(path, name);
  return [...doors].flatMap(([path, { exported }]) =>
    [...exported].filter(([name, { isType }]) => !isType && !used.has(`${path}: ${name}`)).map(([name]) => `${path}: ${name}`),
  );
}

function doorsOf({ path, text }: SourceFile, resolve: (specifier: string) => string | undefined): Doors {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const doors: Doors = { exported: new Map(), handedOn: [], taken: [] };
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) takeImports(statement, resolve, doors);
    else if (ts.isExportDeclaration(statement)) handOn(statement, resolve, doors);
    else for (const name of declared(statement)) doors.exported.set(name, { isType: isTypeStatement(statement) });
  }
  // `import('…')`, as an expression or as a type, may take anything.
  for (const [, specifier] of text.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]\s*\)/g)) {
    const target = resolve(specifier!);
    if (target) doors.taken.push([target, '*']);
  }
  return doors;
}

function takeImports(statement: ts.ImportDeclaration, resolve: (specifier: string) => string | undefined, { taken }: Doors): void {
  const target = resolve((statement.moduleSpecifier as ts.StringLiteral).text);
  const bindings = statement.importClause?.namedBindings;
  if (!target) return;
  if (statement.importClause?.name) taken.push([target, 'default']);
  if (bindings && ts.isNamespaceImport(bindings)) taken.push([target, '*']);
  if (bindings && ts.isNamedImports(bindings))
    for (const { propertyName, name } of bindings.elements) taken.push([target, (propertyName ?? name).text]);
}

function handOn(statement: ts.ExportDeclaration, resolve: (specifier: string) => string | undefined, doors: Doors): void {
  const target = statement.moduleSpecifier && resolve((statement.moduleSpecifier as ts.StringLiteral).text);
  const clause = statement.exportClause;
  if (!clause) {
    if (target) doors.handedOn.push(target);
    return;
  }
  if (!ts.isNamedExports(clause)) return;
  for (const { propertyName, name, isTypeOnly } of clause.elements) {
    const isType = isTypeOnly || statement.isTypeOnly;
    doors.exported.set(name.text, { isType, ...(target ? { from: [target, (propertyName ?? name).text] as const } : {}) });
  }
}

function declared(statement: ts.Statement): string[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) return [];
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap(({ name }) => namesOf(name));
  const { name } = statement as ts.DeclarationStatement;
  return name ? [name.text] : [];
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesOf(element.name)));
}

const isTypeStatement = (statement: ts.Statement): boolean => ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);

/** The file that an import names; undefined: none of ours. */
function targetOf(
  path: string,
  specifier: string,
  paths: ReadonlySet<string>,
  imports: Readonly<Record<string, string>>,
): string | undefined {
  const named = specifier.startsWith('.') ? joined(path, specifier) : aliased(specifier, imports);
  if (named === undefined) return undefined;
  const stem = named.replace(/^dist\//, '').replace(/\.(js|ts|tsx|mjs)$/, '');
  return [named, `${stem}.ts`, `${stem}.tsx`, `${stem}.mjs`].find((candidate) => paths.has(candidate));
}

/** By the `imports` of package.json, as they stand for sources. */
function aliased(specifier: string, imports: Readonly<Record<string, string>>): string | undefined {
  for (const [pattern, target] of Object.entries(imports)) {
    const [before, after] = pattern.split('*') as [string, string?];
    if (after === undefined && specifier === pattern) return target;
    if (after !== undefined && specifier.startsWith(before)) return target.replace('*', specifier.slice(before.length));
  }
  return undefined;
}

function joined(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}
