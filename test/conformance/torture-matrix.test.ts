/** The torture matrix: what is published is what the libraries do, and this parser does all that is asked of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { problemCodes, tolerant } from '@carillon/sip-parser'
import { beforeAll, describe, expect, it } from 'vitest'
import { read, root } from '../support/repository'
import {
  choices,
  described,
  type Expectation,
  expectations,
  folder,
  isPresent,
  isRequired,
} from './matrix/expectations'
import { buildMatrix, judge, type Row, totalsLine } from './matrix/matrix'
import { peers, versionOf } from './matrix/peers'
import { hasProbes } from './matrix/probes'
import type { Outcome } from './matrix/reading'
import { MARKS, matrixPage, readmeSection } from './matrix/render'
import { runPeer } from './matrix/run-peer'

const README = 'packages/sip-parser/README.md'
const PAGE = 'docs/reference/torture-matrix.md'
const isWriting = process.env.CARILLON_WRITE === '1'

/** The README before the section, the section, and after it. */
function readmeParts(): [string, string, string] {
  const text = read(README)
  const [begin, end] = MARKS.map((mark) => text.indexOf(mark)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`${README} has no place for the matrix`)
  const start = begin + MARKS[0].length
  return [text.slice(0, start), text.slice(start, end), text.slice(end)]
}

describe.runIf(!isPresent)('the torture matrix', () => {
  it('has its messages at hand', (context) => {
    if (isRequired) throw new Error(`no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    console.warn(`SKIPPED: no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    context.skip()
  })
})

describe.runIf(isPresent)('the torture matrix', () => {
  let rows: Row[] = []

  beforeAll(async () => {
    rows = await buildMatrix()
    console.log(totalsLine(rows))
  }, 120_000)

  it('has all 49 messages of RFC 4475 and all 12 of RFC 5118', () => {
    expect(rows.filter(({ expectation }) => expectation.set === 'rfc4475')).toHaveLength(49)
    expect(rows.filter(({ expectation }) => expectation.set === 'rfc5118')).toHaveLength(12)
  })

  it('finds this parser right everywhere: verdict, layer, status and values', () => {
    const wrong = rows.filter(({ carillon }) => carillon.isRight === false)
    expect(wrong.map(({ expectation, carillon }) => [expectation.file, carillon])).toEqual([])
    expect(rows.filter(({ carillon }) => carillon.isRight)).toHaveLength(rows.length - Object.keys(choices).length)
  })

  it('finds that the tolerant preset reads whatever the strict one reads, and breaks nothing', () => {
    const acts = rows.map(({ expectation, carillon, tolerant: cell }) => [expectation.file, carillon.act, cell])
    expect(
      acts.filter(([, strictAct, cell]) => strictAct === 'accept' && (cell as Row['tolerant']).act !== 'accept'),
    ).toEqual([])
    expect(rows.filter(({ tolerant: cell }) => cell.act === 'broken')).toEqual([])
  })

  it('has a choice, and the switch named in it, for each message that leaves one', () => {
    const open = expectations.filter(({ strictParser }) => strictParser === 'either')
    expect(Object.keys(choices).sort()).toEqual(open.map(({ file }) => file).sort())
    for (const { expectation, tolerant: cell } of rows) {
      const choice = choices[expectation.file]
      if (choice !== undefined)
        expect([expectation.file, cell.detail]).toEqual([expectation.file, choice.leniency ?? ''])
    }
  })

  it('asks for a value in every message that is to be accepted', () => {
    const unasked = described.filter(({ strictParser, file }) => strictParser === 'accept' && !hasProbes(file))
    expect(unasked.map(({ file }) => file)).toEqual([])
  })

  it(`is published in ${README} as it is (CARILLON_WRITE=1 writes it)`, () => {
    const [before, , after] = readmeParts()
    if (isWriting) writeFileSync(join(root, README), `${before}${readmeSection(rows)}${after}`)
    expect(readmeParts()[1]).toBe(readmeSection(rows))
  })

  it(`is published in ${PAGE} as it is (CARILLON_WRITE=1 writes it)`, () => {
    if (isWriting) writeFileSync(join(root, PAGE), matrixPage(rows))
    expect(read(PAGE)).toBe(matrixPage(rows))
  })
})

// These hold without the messages, so that a clone of the packages alone finds a matrix that has gone stale.
describe('the torture matrix as it is published', () => {
  it('has 61 messages, names the versions that are compared, and codes and switches that exist', () => {
    const section = readmeParts()[1]
    expect(section.match(/^\| `[a-z0-9-]+(\.dat)?` \| /gm)).toHaveLength(61)
    for (const peer of peers) expect(section).toContain(` ${peer.name} ${versionOf(peer)} |`)
    const codes = [...section.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(15)
    expect(codes.filter((code) => !(code in problemCodes))).toEqual([])
    const switches = [...section.matchAll(/accept: `([^`]+)`/g)].flatMap(([, names = '']) => names.split(', '))
    expect(switches.length).toBeGreaterThan(5)
    expect(switches.filter((name) => !(name in tolerant))).toEqual([])
  })
})

describe('the judge of the torture matrix', () => {
  const bytes = Buffer.from('OPTIONS sip:user@example.com SIP/2.0\r\nCall-ID: one\r\nContent-Length: 2\r\n\r\nokmore')
  const base = { vias: [], contacts: [], others: {}, unreadable: [], callId: 'one' }
  const good: Outcome = { kind: 'read', reading: { ...base, body: Buffer.from('ok') } }
  const wrong: Outcome = { kind: 'read', reading: { ...base, body: Buffer.from('okmore') } }
  const refused: Outcome = { kind: 'refused', detail: 'no message' }
  const asked = (strictParser: Expectation['strictParser']): Expectation => ({
    set: 'rfc4475',
    file: 'none.dat',
    section: '1',
    strictParser,
    check: '',
  })
  const verdict = (strictParser: Expectation['strictParser'], outcome: Outcome): unknown[] => {
    const { act, isRight } = judge(asked(strictParser), bytes, outcome)
    return [act, isRight]
  }

  it('wants what is valid accepted with its values, and the rest refused without a crash', () => {
    expect(verdict('accept', good)).toEqual(['accept', true])
    expect(verdict('accept', wrong)).toEqual(['broken', false])
    expect(verdict('accept', refused)).toEqual(['reject', false])
    expect(verdict('reject', refused)).toEqual(['reject', true])
    expect(verdict('reject', good)).toEqual(['accept', false])
    expect(verdict('reject', { kind: 'crash', detail: 'TypeError' })).toEqual(['crash', false])
    expect(verdict('reject', { kind: 'hang' })).toEqual(['hang', false])
  })

  it('leaves out what may be accepted or refused, but shows what is broken', () => {
    expect(verdict('either', good)).toEqual(['accept', undefined])
    expect(verdict('either', refused)).toEqual(['reject', undefined])
    expect(verdict('either', wrong)).toEqual(['broken', undefined])
  })

  it('ends a library that hangs or dies, and goes on with the next message', async () => {
    const program = new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads'
        parentPort.on('message', (bytes) => {
          if (bytes[0] === 1) for (;;);
          if (bytes[0] === 2) throw new Error('died')
          parentPort.postMessage({ kind: 'refused', detail: 'alive' })
        })
        parentPort.postMessage('ready')
      `)}`,
    )
    const messages = [0, 1, 2, 0].map((first) => Uint8Array.of(first))
    const outcomes = await runPeer('none', messages, { hangMs: 500, program })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'hang', 'crash', 'refused'])
  })
})
