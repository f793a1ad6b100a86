/** Documents say what is: every error code, limit, metric and configuration key has its row, and no row stands for nothing. */
import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { defaultParserLimits, parserErrorCodes } from '@carillon/sip-parser'
import { defaultRelayLimits, relayErrorCodes } from '@carillon/rtp-relay'
import { configKeys, configReference, serverErrorCodes, serverLimits } from '@carillon/server'
import { stackErrorCodes, stackLimits } from '@carillon/sip-transaction'
import { describe, expect, it } from 'vitest'
import { files, read, root } from '../support/repository'

/** The names in backticks that begin the table rows below a heading; all tables of the file without a heading. */
function rowsOf(path: string, heading: string): string[] {
  const section = read(path).split(/^## /m).find((part) => part.startsWith(heading)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '')
}

const DOCUMENTS = files.filter((path) => path.endsWith('.md') && !path.startsWith('test/golden/'))

describe('documents', () => {
  it.each([
    ['@carillon/sip-parser', Object.keys(defaultParserLimits)],
    ['@carillon/sip-transaction', Object.keys(stackLimits)],
    ['@carillon/rtp-relay', Object.keys(defaultRelayLimits)],
    ['@carillon/server', Object.keys(serverLimits)],
  ])('docs/LIMITS.md lists the limits of %s and no other', (name, limits) => {
    expect(rowsOf('docs/LIMITS.md', name).sort()).toEqual([...limits].sort())
  })

  it.each([
    ['@carillon/sip-parser', Object.keys(parserErrorCodes)],
    ['@carillon/sip-transaction', Object.keys(stackErrorCodes)],
    ['@carillon/rtp-relay', Object.keys(relayErrorCodes)],
    ['@carillon/server', Object.keys(serverErrorCodes)],
  ])('docs/reference/errors.md lists the error codes of %s and no other', (name, codes) => {
    expect(rowsOf('docs/reference/errors.md', name).sort()).toEqual([...codes].sort())
  })

  it('docs/reference/config.md is what the schema says', () => {
    expect(read('docs/reference/config.md')).toBe(configReference())
  })

  it('every configuration key is named in the server README or the reference', () => {
    const reference = read('docs/reference/config.md')
    expect(configKeys.filter((key) => !reference.includes(`\`${key}\``))).toEqual([])
  })

  it('links between documents lead somewhere', () => {
    const broken: string[] = []
    for (const path of DOCUMENTS) {
      for (const [, target = ''] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?:|mailto:|#)/.test(target)) continue
        const file = posix.join(dirname(path), target.split('#')[0] ?? '')
        if (!existsSync(join(root, file))) broken.push(`${path} → ${target}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('scripts that documents mention exist', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)
    const missing: string[] = []
    for (const path of DOCUMENTS) {
      for (const [, name = ''] of read(path).matchAll(/\bnpm run ([a-z:]+)/g)) {
        if (!scripts.includes(name)) missing.push(`${path}: npm run ${name}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('name no path of one machine', () => {
    const marks = [`/${'work'}/`, `/${'root'}/`, `/home/${'[a-z]'}`, `/tmp/${'carillon'}/`].map((mark) => new RegExp(mark))
    const wrong = files
      .filter((path) => !/pnpm-lock\.yaml$/.test(path))
      .filter((path) => marks.some((mark) => mark.test(read(path))))
    expect(wrong).toEqual([])
  })
})
