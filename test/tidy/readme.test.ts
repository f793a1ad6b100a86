/** The examples in the READMEs and in some guides are programs: each block of TypeScript is run as it stands. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { read, root } from '../support/repository'

const READMES = [
  'README.md',
  ...['sip-parser', 'sip-transaction', 'rtp-relay', 'server'].map((name) => `packages/${name}/README.md`),
  ...['back-to-back', 'events', 'identity', 'observing', 'proxying', 'registrations', 'testing'].map(
    (name) => `docs/guides/${name}.md`,
  ),
]
const folder = join(root, 'test/.examples')

/** Blocks fenced as `ts`; those fenced as `ts ignore` are fragments that need what the text around them names. */
function examplesOf(path: string): string[] {
  return [...read(path).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
}

const examples = READMES.flatMap((path) => examplesOf(path).map((code, index) => ({ path, index, code })))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('README examples', () => {
  it('there is one for each core package at least', () => {
    expect(new Set(examples.map(({ path }) => path)).size).toBeGreaterThanOrEqual(4)
  })

  it.each(examples)('$path, example $index, runs as it stands', async ({ path, index, code }) => {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${path.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}-${index}.ts`)
    writeFileSync(file, `${code}\nexport {}\n`)
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      await import(file)
      expect(log).toHaveBeenCalled()
    } finally {
      log.mockRestore()
    }
  })
})
