/** Documents say what is: every error code, limit and configuration key has its row, and no row stands for nothing. */
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { configReference } from '@carillon/server'
import { describe, expect, it } from 'vitest'
import { errorsDocument, limitsDocument } from '../support/reference'
import { files, read, root } from '../support/repository'

const DOCUMENTS = files.filter((path) => path.endsWith('.md') && !path.startsWith('test/golden/'))
const WRITTEN = [
  ['docs/LIMITS.md', limitsDocument],
  ['docs/reference/errors.md', errorsDocument],
  ['docs/reference/config.md', configReference],
] as const

describe('documents', () => {
  it.each(WRITTEN)('%s is what the code says (CARILLON_WRITE=1 writes it)', (path, render) => {
    const text = render()
    if (process.env.CARILLON_WRITE === '1') writeFileSync(join(root, path), text)
    expect(read(path)).toBe(text)
  })

  it.each(['docs/LIMITS.md', 'docs/reference/errors.md'])(
    '%s has a sentence in every row, for every package',
    (path) => {
      const sections = read(path).split(/^## /m).slice(1)
      expect(sections).toHaveLength(4)
      for (const section of sections) {
        const rows = [...section.matchAll(/^\| `[^`]+` \| .* \| (.*) \|$/gm)]
        expect(rows.length, section.slice(0, 40)).toBeGreaterThan(3)
        expect(rows.filter(([, sentence = '']) => sentence.trim() === '').map(([row]) => row)).toEqual([])
      }
    },
  )

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
    const marks = [`/${'work'}/`, `/${'root'}/`, `/home/${'[a-z]'}`, `/tmp/${'carillon'}/`].map(
      (mark) => new RegExp(mark),
    )
    const wrong = files
      .filter((path) => !/pnpm-lock\.yaml$/.test(path))
      .filter((path) => marks.some((mark) => mark.test(read(path))))
    expect(wrong).toEqual([])
  })
})
