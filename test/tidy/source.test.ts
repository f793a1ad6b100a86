/** What a source file looks like: it says what it is, documents what it exports, and calls nothing that is banned. */
import { basename } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { files, isTest, lineOf, read, shippedSources, treeOf } from '../support/repository'
import { PURE_FOLDERS } from './imports.test'

/** Property accesses and globals that read a clock, chance or the console behind a port's back. */
const IMPURE =
  /\b(Math\.random|Date\.now|new Date\(\)|performance\.now|process\.hrtime|setTimeout|setInterval|setImmediate|queueMicrotask|randomBytes|randomUUID|randomInt|console\.\w+)\b/

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) ?? false)
  )
}

function codeOnly(path: string): string[] {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, false, ts.LanguageVariant.Standard, read(path))
  let text = ''
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const isComment = token === ts.SyntaxKind.SingleLineCommentTrivia || token === ts.SyntaxKind.MultiLineCommentTrivia
    const piece = scanner.getTokenText()
    text += isComment || token === ts.SyntaxKind.StringLiteral ? piece.replace(/[^\n]/g, ' ') : piece
  }
  return text.split('\n')
}

describe('source files', () => {
  it('have kebab-case names', () => {
    const wrong = files.filter(
      (path) => /\.(ts|mjs|cjs)$/.test(path) && !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(basename(path)),
    )
    expect(wrong).toEqual([])
  })

  it('begin by saying what they are', () => {
    const wrong = files
      .filter((path) => /^(packages\/[^/]+\/src|test|bench|scripts|examples)\/.*\.(ts|mjs)$/.test(path))
      .filter((path) => !isTest(path) && !/^(#![^\n]*\n)?\/(\*|\/)/.test(read(path)))
    expect(wrong).toEqual([])
  })

  it('document every export', () => {
    const wrong: string[] = []
    for (const path of shippedSources) {
      for (const statement of treeOf(path).statements) {
        if (!isExported(statement)) continue
        const docs = ts.getJSDocCommentsAndTags(statement)
        if (docs.length === 0) wrong.push(`${path}:${lineOf(statement)}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('call no clock, timer, chance or console in pure folders', () => {
    const wrong: string[] = []
    for (const path of shippedSources.filter((file) => PURE_FOLDERS.some((folder) => file.startsWith(folder)))) {
      if (path.includes('/testing/')) continue
      codeOnly(path).forEach((line, index) => {
        if (IMPURE.test(line)) wrong.push(`${path}:${index + 1}: ${line.trim()}`)
      })
    }
    expect(wrong).toEqual([])
  })

  it('draw no weak random numbers anywhere in what ships', () => {
    const wrong = shippedSources.flatMap((path) =>
      codeOnly(path).flatMap((line, index) => (/\bMath\.random\b/.test(line) ? [`${path}:${index + 1}`] : [])),
    )
    expect(wrong).toEqual([])
  })

  it('silence neither the compiler nor a test', () => {
    const mark = new RegExp(
      [
        '@ts-' + 'ignore',
        '@ts-' + 'nocheck',
        '\\bas ' + 'any\\b',
        '\\.(on' + 'ly|to' + 'do)\\(',
        'TO' + 'DO\\b',
        'FIX' + 'ME\\b',
      ].join('|'),
    )
    const wrong = files
      .filter((path) => /\.(ts|mjs|cjs)$/.test(path))
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, index) => (mark.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
      )
    expect(wrong).toEqual([])
  })
})
