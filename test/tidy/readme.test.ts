/** The examples in the READMEs and in some guides are programs: each block of TypeScript is run as it stands. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { documentExamples } from '../support/document-examples'
import { root } from '../support/repository'

const folder = join(root, 'test/.examples')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('README examples', () => {
  it('there is one for each core package at least', () => {
    expect(new Set(documentExamples.map(({ path }) => path)).size).toBeGreaterThanOrEqual(4)
  })

  it.each(documentExamples)('$path, example $index, runs as it stands', async ({ path, index, code }) => {
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
