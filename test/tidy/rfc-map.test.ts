/** docs/RFC-MAP.md says where each rule is, and which test shows it: the files are there, and the tests name the rule. */
import { describe, expect, it } from 'vitest'
import { files } from '../support/repository'
import { isWithin, type MapRow, mapRows, resolve, rulesIn, testFiles, titlesOf } from '../support/rfc-map'

const SECTIONS = 'Section by section'
/** RFCs whose rules the packages are made to: each has rows in the second table. */
const REQUIRED = [
  ...['3261', '3262', '3263', '3264', '3311', '3323', '3325', '3326', '3327', '3428', '3515', '3581', '3608', '3680'],
  ...['3725', '3842', '3856', '3863', '3891', '3892', '3903', '4028', '4235', '4320', '4488', '4575', '4733', '5057'],
  ...['5389', '5393', '5589', '5626', '5627', '5628', '5658', '5806', '5876', '5922', '5923', '6026', '6086', '6455'],
  ...['3550', '3551', '3611', '3711', '4568', '4585', '5104', '5506', '5761', '7983', '8285'],
  ...['6665', '7044', '7118', '7339', '7544', '7615', '7616', '8224', '8225', '8226', '8588', '8760'],
]
/** Sections of RFC 3261 that no table may forget: its user agents, registrars, proxies, transactions and transports. */
const REQUIRED_SECTIONS = ['8', '9', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '22']
const NOT_DONE = /^not implemented: .{10}/
/** Rules that are not followed, on purpose. One more, or one less, is a decision to be seen. */
const OMITTED = new Set(['3261 §8.1.3.3', '3261 §8.1.3.4', '3892 §5', '3903 §8', '4028 §8'])

const rows = mapRows()
const overview = rows.filter(({ heading }) => heading !== SECTIONS)
const sections = rows.filter(({ heading }) => heading === SECTIONS)
const nameOf = ({ cells }: MapRow): string => `${cells[0]} ${cells[1]}`

describe('docs/RFC-MAP.md', () => {
  it('has two tables of four columns', () => {
    expect(overview.length).toBeGreaterThan(50)
    expect(sections.length).toBeGreaterThan(100)
    expect(rows.filter(({ cells }) => cells.length !== 4 || cells.slice(0, 3).includes('')).map(nameOf)).toEqual([])
  })

  it.each(overview.map((row) => [nameOf(row), row] as const))('%s: the files of the row exist', (_name, { cells }) => {
    const sources = resolve(cells[2] ?? '', '')
    expect(sources.length, 'names no source').toBeGreaterThan(0)
    const packageName = /^packages\/([^/]+)\//.exec(sources[0]?.found[0] ?? '')?.[1] ?? ''
    const tests = resolve(cells[3] ?? '', packageName).filter(({ token }) => token.endsWith('.test.ts'))
    expect([...sources, ...tests].filter(({ found }) => found.length === 0).map(({ token }) => token)).toEqual([])
  })

  it.each(sections.map((row) => [nameOf(row), row] as const))(
    'RFC %s: its files exist, and its tests name it',
    (...[, { cells }]) => {
      const [rule = '', , where = '', shownBy = ''] = cells
      expect(rule).toMatch(/^\d{4} §[\d.]+$/)
      if (OMITTED.has(rule)) {
        expect(where).toMatch(NOT_DONE)
        return
      }
      const sources = resolve(where, '')
      const tests = resolve(shownBy, /^`([^/]+)/.exec(where)?.[1] ?? '')
      expect(sources.filter(({ found }) => found.length !== 1).map(({ token }) => token)).toEqual([])
      expect(tests.filter(({ found }) => found.length !== 1).map(({ token }) => token)).toEqual([])
      expect([sources.length, tests.length].map((count) => count > 0)).toEqual([true, true])
      const silent = tests.filter(({ found }) => !namesRule(found[0] ?? '', rule))
      expect(silent.map(({ token }) => `${token} has no test whose title names RFC ${rule}`)).toEqual([])
    },
  )

  it('has a row for each RFC and each part of RFC 3261 that the packages are made to', () => {
    const known = new Set(sections.map(({ cells }) => cells[0] ?? ''))
    const has = (rule: string) => [...known].some((other) => isWithin(other, rule))
    const wanted = [...REQUIRED, ...REQUIRED_SECTIONS.map((section) => `3261 §${section}`)]
    expect(wanted.filter((rule) => !has(rule))).toEqual([])
    expect(known.size, 'a section has one row').toBe(sections.length)
  })

  it('says of no more and no fewer rules than those decided on that they are not implemented', () => {
    const omitted = sections.filter(({ cells }) => NOT_DONE.test(cells[2] ?? '')).map(({ cells }) => cells[0])
    expect(new Set(omitted)).toEqual(OMITTED)
  })

  it('every RFC that a test of the stack names stands in it', () => {
    const text = rows.map(({ cells }) => cells.join(' ')).join(' ')
    const listed = new Set(rulesIn(text).rules.map((rule) => rule.slice(0, 4)))
    const named = testFiles
      .filter((path) => path.startsWith('packages/sip-transaction/src/'))
      .flatMap((path) => titlesOf(path))
      .flatMap(({ title }) => [...title.matchAll(/RFC (\d{4})/g)].map(([, number = '']) => number))
    expect([...new Set(named)].filter((number) => !listed.has(number)).sort()).toEqual([])
  })
})

describe('reading the map', () => {
  it('finds the rules in titles, and knows what is a part of what', () => {
    expect(rulesIn('RFC 3261 §16.7, §16.10: x (RFC 5393 §3)').rules).toEqual([
      ...['3261', '3261 §16.7', '3261 §16.10', '5393', '5393 §3'],
    ])
    expect(isWithin('3261 §16.10', '3261 §16.1')).toBe(false)
    expect(isWithin('3261 §16.1.2', '3261 §16.1')).toBe(true)
    expect(files.length).toBeGreaterThan(100)
  })

  it('a file that is not there resolves to nothing', () => {
    const [one, other] = resolve('`sip-transaction/src/proxy/{loop,nowhere}` `proxy/loop.ts`', '')
    expect([one?.found, other?.found]).toEqual([[], ['packages/sip-transaction/src/proxy/loop.ts']])
  })
})

function namesRule(path: string, rule: string): boolean {
  return titlesOf(path).some(({ rules }) => rules.some((named) => isWithin(named, rule)))
}
