/** docs/COMPLAINTS.md names tests as proof: each has to exist under that name. */
import { describe, expect, it } from 'vitest'
import { files, read } from '../support/repository'

const [answered = '', notYet = ''] = read('docs/COMPLAINTS.md').split(/^## Not yet$/m)

/** The cells of every row of the tables in a text, headings left out. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| complaint |'))
    .map((line) => line.slice(2, -2).split(' | '))
}

describe('docs/COMPLAINTS.md', () => {
  const rows = rowsOf(answered)

  it('has three cells in every row: complaint, what is done, test', () => {
    expect(rows.length).toBeGreaterThan(40)
    expect(rows.filter((cells) => cells.length !== 3 || cells.some((cell) => cell.trim() === ''))).toEqual([])
  })

  it.each(rows)('%s: its tests exist', (_complaint, _answer, proof = '') => {
    for (const reference of proof.split('<br>')) {
      const [, path = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(reference.trim()) ?? []
      expect(files, reference).toContain(path)
      // Names in source may stand in either kind of quotes.
      expect(read(path).replaceAll("\\'", "'").includes(name), `${path} has no "${name}"`).toBe(true)
    }
  })

  it('says what is not there yet', () => {
    expect(rowsOf(notYet).length).toBeGreaterThan(0)
  })
})
