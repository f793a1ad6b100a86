/** Who may import whom: one direction between the packages, built-ins only in the core, nothing outward in pure folders. */
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { files, importsOf, isTest, shippedSources } from '../support/repository'

/** What each package may import from outside itself, besides Node's built-ins. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'sip-parser': [],
  'sip-transaction': ['@carillon/sip-parser', '@carillon/sip-parser/sdp'],
  'rtp-relay': ['@carillon/sip-parser/sdp'],
  server: [
    '@carillon/sip-parser',
    '@carillon/sip-parser/sdp',
    '@carillon/sip-transaction',
    '@carillon/rtp-relay',
    'zod',
    'pino',
  ],
}

/** Folders that hold protocol logic: neither sockets nor files nor timers are within their reach. */
export const PURE_FOLDERS: readonly string[] = [
  'packages/sip-parser/src/',
  'packages/sip-transaction/src/fsm/',
  'packages/sip-transaction/src/timers/',
  'packages/sip-transaction/src/transaction/',
  'packages/sip-transaction/src/dialog/',
  'packages/sip-transaction/src/b2bua/',
  'packages/sip-transaction/src/registrar/',
  'packages/sip-transaction/src/auth/',
  'packages/sip-transaction/src/locate/',
  'packages/sip-transaction/src/protection/',
  'packages/rtp-relay/src/rtp/',
  'packages/rtp-relay/src/rtcp/',
  'packages/rtp-relay/src/stats/',
  'packages/rtp-relay/src/relay/',
  'packages/server/src/signalling/routing/',
]

/** Built-ins that compute and touch nothing outside the process. */
const PURE_BUILTINS = new Set(['node:buffer', 'node:crypto', 'node:util'])

function packageOf(path: string): string {
  return path.split('/')[1] ?? ''
}

describe('imports', () => {
  it('go in one direction between the packages, and core packages use built-ins only', () => {
    const wrong: string[] = []
    for (const path of shippedSources) {
      for (const { specifier } of importsOf(path)) {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) continue
        if (!ALLOWED[packageOf(path)]?.includes(specifier)) wrong.push(`${path} imports ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('spell Node built-ins with node: everywhere', () => {
    const bare =
      /^(assert|buffer|child_process|crypto|dgram|dns|events|fs|http|net|os|path|perf_hooks|stream|timers|tls|url|util|v8|worker_threads|zlib)(\/|$)/
    const wrong = files
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) =>
        importsOf(path)
          .filter(({ specifier }) => bare.test(specifier))
          .map(({ specifier }) => `${path}: ${specifier}`),
      )
    expect(wrong).toEqual([])
  })

  it('never reach out of their own package by a relative path', () => {
    const wrong: string[] = []
    for (const path of files.filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file))) {
      for (const { specifier } of importsOf(path)) {
        if (!specifier.startsWith('.')) continue
        const target = posix.normalize(posix.join(posix.dirname(path), specifier))
        if (!target.startsWith(`packages/${packageOf(path)}/`)) wrong.push(`${path} imports ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('keep sockets, files, processes and timers out of the pure folders', () => {
    const wrong: string[] = []
    for (const path of shippedSources.filter((file) => PURE_FOLDERS.some((folder) => file.startsWith(folder)))) {
      for (const { specifier } of importsOf(path)) {
        if (specifier.startsWith('node:') && !PURE_BUILTINS.has(specifier)) wrong.push(`${path} imports ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('name pure folders that exist', () => {
    const missing = PURE_FOLDERS.filter((folder) => !files.some((path) => path.startsWith(folder)))
    expect(missing).toEqual([])
  })

  it('do not let shipped code import a test', () => {
    const wrong = shippedSources.filter((path) => importsOf(path).some(({ specifier }) => isTest(`${specifier}.ts`)))
    expect(wrong).toEqual([])
  })
})
