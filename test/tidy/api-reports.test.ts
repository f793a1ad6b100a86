/** No public name changes unseen: docs/reference/api has the shape of every package, and this compares. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { API_PACKAGES, type ApiReport, apiDifferences, apiReports } from '../support/api-report'
import { read, root } from '../support/repository'

const FOLDER = 'docs/reference/api'
const ADVICE =
  'if the change is meant: CARILLON_WRITE=1 with the tidy project writes the report anew; review and commit it'

describe('public API', () => {
  let reports: ApiReport[] = []

  beforeAll(() => {
    reports = apiReports()
  }, 60_000)

  it.each(API_PACKAGES)('of %s is the one that was reviewed', (name) => {
    const path = `${FOLDER}/${name}.txt`
    const text = reports.find((report) => report.name === name)?.text ?? ''
    if (process.env.CARILLON_WRITE === '1') writeFileSync(join(root, path), text)
    const reviewed = existsSync(join(root, path)) ? read(path) : ''
    expect(apiDifferences(reviewed, text), `the public API of ${name} differs from ${path}; ${ADVICE}`).toEqual([])
    expect(reviewed === text, `${path} says the same in another way; ${ADVICE}`).toBe(true)
  })

  it('has a report for every package, and no report without one', () => {
    const expected = API_PACKAGES.map((name) => `${name}.txt`)
    expect(readdirSync(join(root, FOLDER)).sort()).toEqual(expected)
    const packages = readdirSync(join(root, 'packages'))
      .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
      .sort()
    expect(packages).toEqual([...API_PACKAGES])
  })

  it('differences name what was added, removed and changed, by entry point', () => {
    const before = 'title\n\n==== .\n\nclass A {\n  x: 1;\n}\n\ninterface B {\n}\n\n==== ./testing\n\nclass A {\n}\n'
    const after = 'title\n\n==== .\n\nclass A {\n  x: 2;\n}\n\ntype C = 1;\n\n==== ./testing\n\nclass A {\n}\n'
    expect(apiDifferences(before, after)).toEqual(['changed A (.)', 'removed B (.)', 'added C (.)'])
  })

  it('shows members that are public and hides those that are not', () => {
    const text = reports.find(({ name }) => name === 'sip-transaction')?.text ?? ''
    expect(text).toMatch(/^class SipStack /m)
    expect(text).not.toMatch(/^\s*(private (?!constructor)|#)/m)
    expect(text).not.toContain('/**')
    expect(text).not.toContain(root)
  })
})
