/** Sizes: a file can be read at one sitting, a function on one screen. */
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { files, isTest, lineOf, read, shippedSources, treeOf } from '../support/repository'

const FILE_LINES = 400
const FILE_LINES_AT_MOST = 600
const FUNCTION_LINES = 70

/** Files that may be longer than 400 lines (never than 600), each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {}

/** Functions that may be longer than 70 lines, as path#name, each with its reason. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'packages/rtp-relay/src/srtp/sha1-rounds.ts#compressSha1': 'eighty steps of a standard, a table of them',
}

function linesOf(path: string): number {
  return read(path).trimEnd().split('\n').length
}

function nameOf(node: ts.Node): string {
  const named = node as { name?: ts.Node }
  if (named.name) return named.name.getText()
  const parent = node.parent as { name?: ts.Node } | undefined
  return parent?.name ? parent.name.getText() : 'anonymous'
}

describe('sizes', () => {
  it(`a source file has at most ${FILE_LINES} lines, or a reason and at most ${FILE_LINES_AT_MOST}`, () => {
    const wrong = shippedSources
      .map((path) => ({ path, lines: linesOf(path) }))
      .filter(({ path, lines }) => lines > (path in LONG_FILES ? FILE_LINES_AT_MOST : FILE_LINES))
      .map(({ path, lines }) => `${path}: ${lines} lines`)
    expect(wrong).toEqual([])
  })

  it(`a test, script, bench or example file has at most ${FILE_LINES_AT_MOST} lines`, () => {
    const wrong = files
      .filter((path) => (isTest(path) || /^(test|bench|scripts|examples)\//.test(path)) && /\.(ts|mjs|cjs)$/.test(path))
      .filter((path) => linesOf(path) > FILE_LINES_AT_MOST)
    expect(wrong).toEqual([])
  })

  it(`a function has at most ${FUNCTION_LINES} lines`, () => {
    const wrong: string[] = []
    for (const path of shippedSources) {
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && 'body' in node && node.body) {
          const tree = node.getSourceFile()
          const lines = tree.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(node)
          const key = `${path}#${nameOf(node)}`
          if (lines > FUNCTION_LINES && !(key in LONG_FUNCTIONS)) wrong.push(`${key}: ${lines} lines`)
        }
        ts.forEachChild(node, visit)
      }
      visit(treeOf(path))
    }
    expect(wrong).toEqual([])
  })

  it('no reason for a long file or function outlives it', () => {
    const stale = Object.keys(LONG_FILES).filter(
      (path) => !shippedSources.includes(path) || linesOf(path) <= FILE_LINES,
    )
    const staleFunctions = Object.keys(LONG_FUNCTIONS).filter(
      (key) => !shippedSources.includes(key.split('#')[0] ?? ''),
    )
    expect([...stale, ...staleFunctions]).toEqual([])
  })
})
