/** The repository as tests of its own order see it: its root, its tracked and new files, and their syntax trees. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The project's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Paths, relative to the root, of all files that git tracks or would track. */
export const files: readonly string[] = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))

/** The text of one file. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Sources that ship: TypeScript below packages/<name>/src, without tests. */
export const shippedSources = files.filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path) && !isTest(path))

/** True for a test file. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

const trees = new Map<string, ts.SourceFile>()

/** The syntax tree of one TypeScript file, parsed once. */
export function treeOf(path: string): ts.SourceFile {
  let tree = trees.get(path)
  if (!tree) {
    tree = ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2022, true)
    trees.set(path, tree)
  }
  return tree
}

/** Every module specifier that a file imports or re-exports, with `import type` marked. */
export function importsOf(path: string): { specifier: string; typeOnly: boolean }[] {
  const found: { specifier: string; typeOnly: boolean }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause
      found.push({
        specifier: node.moduleSpecifier.text,
        typeOnly: clause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
      })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteral(argument)) found.push({ specifier: argument.text, typeOnly: false })
    }
    ts.forEachChild(node, visit)
  }
  visit(treeOf(path))
  return found
}

/** The line, counted from 1, at which a node begins. */
export function lineOf(node: ts.Node): number {
  const tree = node.getSourceFile()
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}
