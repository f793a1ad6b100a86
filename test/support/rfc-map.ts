/**
 * Reads docs/RFC-MAP.md and the titles of tests. A test says which rule it is about by its title (`RFC 3261 §16.7: …`),
 * or by that of a `describe` around it.
 */
import ts from 'typescript'
import { files, isTest, read, treeOf } from './repository'

/** One row of a table in the map. */
export interface MapRow {
  /** The heading that it stands under; empty for the first table. */
  readonly heading: string
  readonly cells: readonly string[]
}

/** The rows of all tables of the map, without their heads. */
export function mapRows(): MapRow[] {
  const rows: MapRow[] = []
  let heading = ''
  let isBody = false
  for (const line of read('docs/RFC-MAP.md').split('\n')) {
    if (line.startsWith('## ')) heading = line.slice(3)
    if (!line.startsWith('|')) isBody = false
    else if (/^\|[-|]+\|$/.test(line)) isBody = true
    else if (isBody)
      rows.push({
        heading,
        cells: line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      })
  }
  return rows
}

/** RFC numbers and sections that a text names: `RFC 3261 §8, §9.1` gives `3261 §8` and `3261 §9.1`. */
export function rulesIn(text: string, rfc = ''): { rules: string[]; rfc: string } {
  const rules: string[] = []
  let current = rfc
  for (const [, number, section] of text.matchAll(/(?<![\d.§-])(\d{4})(?![\d.])|§(\d+(?:\.\d+)*)/g)) {
    if (number !== undefined) {
      current = number
      rules.push(number)
    } else rules.push(`${current} §${section}`)
  }
  return { rules, rfc: current }
}

/** What the paths in a cell may mean: packages' sources, by their short spelling, with braces and stars. */
export function resolve(cell: string, within: string): { token: string; found: string[] }[] {
  let packageName = within
  return [...cell.matchAll(/`([^`]+)`/g)]
    .map(([, token = '']) => token)
    .filter((token) => token.includes('/') || /\.ts$/.test(token))
    .map((token) => {
      const found = alternatives(token).map((path) => {
        const name = /^(sip-parser|sip-transaction|rtp-relay|server)\/src/.exec(path)?.[1]
        packageName = name ?? packageName
        return matching(name || path.startsWith('test/') ? path : `${packageName}/src/${path}`)
      })
      return { token, found: found.some((paths) => paths.length === 0) ? [] : found.flat() }
    })
}

function alternatives(token: string): string[] {
  const [whole, before = '', inner = '', after = ''] = /^(.*?)\{([^}]*)\}(.*)$/.exec(token) ?? []
  if (whole === undefined) return [token]
  return inner.split(',').flatMap((part) => alternatives(`${before}${part}${after}`))
}

function matching(path: string): string[] {
  const full = path.startsWith('test/') ? path : `packages/${path}`
  const pattern = full.replace(/[.+()[\]^$]/g, '\\$&').replaceAll('*', '[^/]*')
  const matches = new RegExp(`^${pattern}(\\.ts|/.*)?$`)
  return files.filter((file) => matches.test(file))
}

/** The titles of each test file, each with the rules that it names. */
export function titlesOf(path: string): { title: string; rules: readonly string[] }[] {
  const known = titles.get(path)
  if (known) return known
  const found: { title: string; rules: readonly string[] }[] = []
  const visit = (node: ts.Node, rfc: string): void => {
    let inner = rfc
    if (ts.isCallExpression(node) && /^(it|test|describe)\b/.test(node.expression.getText())) {
      const [first] = node.arguments
      if (first && (ts.isStringLiteralLike(first) || ts.isTemplateExpression(first))) {
        const title = first.getText().slice(1, -1)
        const read = rulesIn(title, rfc)
        found.push({ title, rules: read.rules })
        inner = read.rfc
      }
    }
    ts.forEachChild(node, (child) => visit(child, inner))
  }
  visit(treeOf(path), '')
  titles.set(path, found)
  return found
}

const titles = new Map<string, { title: string; rules: readonly string[] }[]>()

/** All test files. */
export const testFiles = files.filter((path) => isTest(path))

/** True when the first rule is the second one or a part of it. */
export function isWithin(rule: string, whole: string): boolean {
  return rule === whole || rule.startsWith(whole.includes('§') ? `${whole}.` : `${whole} `)
}
