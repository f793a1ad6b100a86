/**
 * Writes docs/LIMITS.md and docs/reference/errors.md from the sources: names and defaults from the code as it runs,
 * sentences from its TSDoc. A test compares the files with this.
 */
import { join } from 'node:path'
import ts from 'typescript'
import { files, root, treeOf } from './repository'

/** One row: its name, what stands in the middle columns, and its sentence. */
interface Row {
  readonly name: string
  readonly cells: readonly string[]
  readonly sentence: string
}

const PACKAGES = ['sip-parser', 'sip-transaction', 'rtp-relay', 'server'] as const
const SOURCE = /^packages\/[^/]+\/src\/(.*\/)?(limits|errors)\.ts$/
const modules = new Map<string, Record<string, unknown>>()
for (const path of files.filter((file) => SOURCE.test(file))) modules.set(path, await import(join(root, path)))

/** The text of docs/LIMITS.md. */
export function limitsDocument(): string {
  return page(
    'Limits',
    [
      'Every cap and period that is a constant in the code, by package. Nothing that the network sends makes memory grow',
      'past these. Units are the last word of a name: `Ms` milliseconds, `Bytes` bytes, `Max` a count where no unit stands.',
      'Caps that an operator may move are configuration keys as well: see [reference/config.md](reference/config.md).',
    ],
    ['limit', 'default', 'what it caps, and what happens over it'],
    (name) => modulesOf(name, 'limits.ts').flatMap(limitRows),
  )
}

/** The text of docs/reference/errors.md. */
export function errorsDocument(): string {
  return page(
    'Error codes',
    [
      'Parsing returns problems and never throws; everything else throws errors with a `code`. Codes are stable. The second',
      'column says which object or error carries the code; for problems also the layer, and the status to answer with.',
    ],
    ['code', 'of', 'what it means'],
    (name) => modulesOf(name, 'errors.ts').flatMap(errorRows),
  )
}

function page(title: string, intro: string[], columns: string[], rowsOf: (name: string) => Row[]): string {
  const parts = [`# ${title}`, '', ...intro, '', 'This page is written by the code; a test fails when they differ.', '']
  for (const name of PACKAGES) {
    parts.push(`## @carillon/${name}`, '', `| ${columns.join(' | ')} |`, `|${columns.map(() => '---').join('|')}|`)
    for (const { name: key, cells, sentence } of rowsOf(name))
      parts.push(`| \`${key}\` | ${[...cells, sentence].join(' | ')} |`)
    parts.push('')
  }
  return parts.join('\n')
}

function modulesOf(name: string, file: string): { path: string; exports: Record<string, unknown> }[] {
  return files
    .filter((path) => path.startsWith(`packages/${name}/src/`) && path.endsWith(`/${file}`))
    .sort((a, b) => a.length - b.length)
    .map((path) => ({ path, exports: modules.get(path) ?? {} }))
}

function limitRows({ path, exports }: { path: string; exports: Record<string, unknown> }): Row[] {
  const rows: Row[] = []
  const inObjects = new Set<string>()
  const docs = new Map([...documentation(path.replace(/limits\.ts$/, 'ports.ts')), ...documentation(path)])
  for (const value of Object.values(exports)) {
    if (typeof value !== 'object' || value === null) continue
    for (const [key, limit] of Object.entries(value)) {
      inObjects.add(key)
      rows.push({ name: key, cells: [number(limit)], sentence: docs.get(key) ?? '' })
    }
  }
  for (const [key, value] of Object.entries(exports)) {
    if (typeof value !== 'number' || inObjects.has(key)) continue
    rows.push({ name: key, cells: [number(value)], sentence: docs.get(key) ?? '' })
  }
  return rows
}

function errorRows({ exports }: { exports: Record<string, unknown> }): Row[] {
  const rows: Row[] = []
  for (const [registry, codes] of Object.entries(exports)) {
    if (typeof codes !== 'object' || codes === null) continue
    for (const [code, meaning] of Object.entries(codes)) {
      if (typeof meaning === 'string') rows.push({ name: code, cells: [`\`${registry}\``], sentence: meaning })
      else rows.push({ name: code, cells: [problemCell(registry, meaning)], sentence: meaning.sentence })
    }
  }
  return rows
}

function problemCell(registry: string, kind: { layer?: string; status: number | string }): string {
  return [`\`${registry}\``, kind.layer, String(kind.status)].filter((part) => part !== undefined).join(', ')
}

function number(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US').replaceAll(',', ' ') : String(value)
}

/** The TSDoc text of each interface member and exported constant of a file, by name. */
function documentation(path: string): Map<string, string> {
  const found = new Map<string, string>()
  if (!files.includes(path)) return found
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node)) note(node.name.getText(), node, true)
    else if (ts.isVariableStatement(node))
      for (const { name } of node.declarationList.declarations) note(name.getText(), node, false)
    ts.forEachChild(node, visit)
  }
  const note = (name: string, node: ts.Node, wins: boolean): void => {
    const [comment] = ts.getJSDocCommentsAndTags(node)
    const text = comment && ts.isJSDoc(comment) ? (ts.getTextOfJSDocComment(comment.comment) ?? '') : ''
    if (wins || !found.has(name))
      found.set(
        name,
        text
          .replace(/\s+/g, ' ')
          .replace(/\{@link (\S+?)\}/g, '`$1`')
          .trim(),
      )
  }
  visit(treeOf(path))
  return found
}
