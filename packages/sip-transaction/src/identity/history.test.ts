import { type HistoryEntry, parseUri, Reason } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { invite, response } from './fixtures/messages'
import { hidePrivate, historyEntry, readHistory, withReason } from './history-entries'
import { childIndex, compareIndexes, indexAfterGap, isIndex } from './history-index'
import { RequestHistory } from './request-history'

const uri = (text: string) => {
  const read = parseUri(text)
  if (!read.ok) throw new Error(text)
  return read.value
}
const bob = 'sip:bob@example.com'
const withEntries = (...entries: string[]) =>
  invite(
    entries.map((entry) => `History-Info: ${entry}`),
    bob,
  )
const of = (...entries: string[]) => {
  const history = RequestHistory.of(withEntries(...entries))
  if (history === undefined) throw new Error('unreadable')
  return history
}
const texts = (entries: readonly HistoryEntry[]) => entries.map(String)

describe('indexes of History-Info', () => {
  it('RFC 7044 §10.3: each level adds a number, and a gap a zero', () => {
    expect(childIndex('1')).toBe('1.1')
    expect(childIndex('1.1', 12)).toBe('1.1.12')
    expect(indexAfterGap('1.1.2')).toBe('1.1.2.0.1')
  })

  it('RFC 7044 §5: are numbers with dots between them', () => {
    for (const right of ['1', '0', '1.1', '1.0.1', '12.345.6']) expect(isIndex(right)).toBe(true)
    for (const wrong of ['', '.', '1.', '.1', '1..2', '01', '1.01', '1,1', 'x', '-1', '1'.repeat(10_000)])
      expect(isIndex(wrong)).toBe(false)
  })

  it('are ordered as the tree is read, whatever their size', () => {
    const ordered = ['1', '1.0.1', '1.1', '1.1.1', '1.2', '1.2.10', '1.10', '1.99999999999999999999', '2']
    expect([...ordered].reverse().sort(compareIndexes)).toEqual(ordered)
    expect(compareIndexes('1.1', '1.1')).toBe(0)
  })
})

describe('entries of History-Info', () => {
  it('RFC 7044 §10.2: the reason why a target was left is in its URI, with that of the response', () => {
    const entry = historyEntry({ uri: uri('sip:bob@192.0.2.4'), index: '1.1', from: { kind: 'rc', index: '1' } })
    expect(entry.toString()).toBe('<sip:bob@192.0.2.4>;index=1.1;rc=1')
    const left = withReason(entry, 486, [Reason.of({ protocol: 'Q.850', cause: 17 })])
    expect(left.reasons.map(({ protocol, cause }) => [protocol, cause])).toEqual([
      ['SIP', 486],
      ['Q.850', 17],
    ])
    expect(left.toString()).toContain('Reason=SIP%3Bcause%3D486')
    expect(left.target.toString()).toBe('sip:bob@192.0.2.4')
    expect(withReason(left, 404).toString()).toBe(left.toString())
  })

  it('a number takes no reason, for its URI takes no headers', () => {
    const entry = historyEntry({ uri: uri('tel:+14085264000'), index: '1' })
    expect(withReason(entry, 486).toString()).toBe('<tel:+14085264000>;index=1')
  })

  it('RFC 7044 §10.1.1: what is private says so in its URI', () => {
    const entry = historyEntry({ uri: uri('sip:bob@192.0.2.4?Subject=x'), index: '1.1', isPrivate: true })
    expect(entry.toString()).toBe('<sip:bob@192.0.2.4?Privacy=history>;index=1.1')
    expect(entry.privacy).toEqual(['history'])
  })

  it('RFC 7044 §10.1.2: outside of the domain it names nobody, and keeps its place', () => {
    const entries = readHistory(
      withEntries(
        '<sip:a@example.com>;index=1',
        '"B" <sip:b@example.com;cause=302?Privacy=history&Reason=SIP%3Bcause%3D302>;index=1.1;mp=1',
        '<sip:c@other.example>;index=1.2;mp=1.1',
      ),
    )!
    expect(texts(hidePrivate(entries, { isWhole: false }))).toEqual([
      '<sip:a@example.com>;index=1',
      '<sip:anonymous@anonymous.invalid;cause=302>;index=1.1;mp=1',
      '<sip:c@other.example>;index=1.2;mp=1.1',
    ])
    const ours = hidePrivate(entries, { isWhole: true, domains: ['example.com'] })
    expect(texts(ours).filter((text) => text.includes('anonymous'))).toHaveLength(2)
    expect(texts(hidePrivate(entries, { isWhole: true })).every((text) => text.includes('anonymous'))).toBe(true)
  })
})

describe('the history of a request', () => {
  it('RFC 7044 §9.1: begins with the target that it was sent to', () => {
    const history = of()
    expect(texts(history.entries)).toEqual(['<sip:bob@example.com>;index=1'])
    expect(history.index).toBe('1')
  })

  it('RFC 7044 §10.3 rule 6: has a gap where the hop before has told nothing', () => {
    expect(texts(of('<sip:alice@example.com>;index=1.1.2').entries)).toEqual([
      '<sip:alice@example.com>;index=1.1.2',
      '<sip:bob@example.com>;index=1.1.2.0.1',
    ])
    const known = of('<sip:alice@example.com>;index=1', '<sip:bob@EXAMPLE.com?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1')
    expect(known.index).toBe('1.1')
    expect(known.entries).toHaveLength(2)
  })

  it('RFC 7044 §10.3 rules 1, 3 and 5: the targets of a fork are numbered one after another', () => {
    const history = of('<sip:bob@example.com>;index=1')
    const indexes = ['sip:bob@192.0.2.4', 'sip:bob@192.0.2.5', 'sip:carol@192.0.2.6'].map(
      (target) => history.retarget(uri(target)).index,
    )
    expect(indexes).toEqual(['1.1', '1.2', '1.3'])
    expect(history.entries).toHaveLength(1)
  })

  it('RFC 7044 §10.4: tells another address of the same user from another user', () => {
    const history = of()
    expect(history.retarget(uri('sip:bob@192.0.2.4')).rc).toBe('1')
    expect(history.retarget(uri('sip:carol@example.com')).mp).toBe('1')
    expect(history.retarget(uri('sip:bob@example.com')).np).toBe('1')
    expect(history.retarget(uri('sip:x7f@192.0.2.4'), { kind: 'rc', from: '1.1' }).toString()).toBe(
      '<sip:x7f@192.0.2.4>;index=1.4;rc=1.1',
    )
  })

  it('RFC 7044 §9.3: what failed stays in the history of the next target, with its reason', () => {
    const history = of()
    const first = history.retarget(uri('sip:bob@192.0.2.4'))
    history.answered(first, response(302, ['Reason: Q.850;cause=23']))
    const second = history.retarget(uri('sip:office@example.com'), { kind: 'mp', from: '1.1' })
    expect(texts(history.entriesFor(second))).toEqual([
      '<sip:bob@example.com>;index=1',
      expect.stringMatching(/^<sip:bob@192\.0\.2\.4\?Reason=SIP%3Bcause%3D302.*Q\.850%3Bcause%3D23>;index=1\.1;rc=1$/),
      '<sip:office@example.com>;index=1.2;mp=1.1',
    ])
    history.left(second, 408)
    expect(history.entries[2]?.reasons[0]?.cause).toBe(408)
  })

  it('RFC 7044 §9.3: learns from a response what was below its target, and nothing else', () => {
    const history = of()
    const first = history.retarget(uri('sip:bob@192.0.2.4'))
    const lines = [
      '<sip:x@example.com>;index=1',
      '<sip:bob@192.0.2.4>;index=1.1',
      '<sip:deep@192.0.2.9>;index=1.1.1;rc=1.1',
    ]
    const forged = '<sip:forged@192.0.2.9>;index=1.2'
    history.answered(
      first,
      response(
        180,
        [...lines, forged].map((line) => `History-Info: ${line}`),
      ),
    )
    history.answered(
      first,
      response(
        200,
        [...lines, forged].map((line) => `History-Info: ${line}`),
      ),
    )
    expect(texts(history.entries)).toEqual([
      '<sip:bob@example.com>;index=1',
      '<sip:bob@192.0.2.4>;index=1.1;rc=1',
      '<sip:deep@192.0.2.9>;index=1.1.1;rc=1.1',
    ])
    history.answered(first, response(100))
    expect(history.entries).toHaveLength(3)
  })

  it('takes no index that has been given to another target before', () => {
    const history = of(
      '<sip:bob@example.com>;index=1',
      '<sip:bob@192.0.2.9>;index=1.7',
      '<sip:bob@example.com>;index=1',
    )
    expect(history.retarget(uri('sip:bob@192.0.2.4')).index).toBe('1.8')
    const huge = of(`<sip:x@192.0.2.9>;index=1.${'9'.repeat(40)}`, '<sip:bob@example.com>;index=1')
    expect(huge.retarget(uri('sip:bob@192.0.2.4')).index).toBe('1.1')
  })

  it.each([
    ['<sip:bob@example.com>'],
    ['<sip:bob@example.com>;index=1..2'],
    ['<sip:bob@example.com>;index=01'],
    ['<sip:bob@example.com>;index='],
    [`<sip:bob@example.com>;index=${'1'.repeat(10_000)}`],
    [`<sip:bob@example.com>;index=${'1.'.repeat(63)}1`],
    ['<sip:bob@example.com>;index=1, <'],
    ['broken'],
  ])('is not touched where it cannot be read or continued: %.50s', (entry) => {
    expect(RequestHistory.of(withEntries('<sip:x@example.com>;index=1', entry))).toBeUndefined()
  })

  it('is not touched when it has a thousand entries, and grows no further by responses', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `<sip:bob@example.com>;index=1.${index}`)
    const lines = Array.from({ length: 10 }, (_, line) => many.slice(line * 100, line * 100 + 100).join(', '))
    expect(RequestHistory.of(withEntries(...lines))).toBeUndefined()
    expect(RequestHistory.of(withEntries(many.join(', ')))).toBeUndefined()
    const history = of()
    const entry = history.retarget(uri('sip:bob@192.0.2.4'))
    for (let turn = 0; turn < 20; turn += 1) {
      const lines = Array.from({ length: 100 }, (_, at) => `History-Info: <sip:b@c>;index=1.1.${turn * 100 + at}`)
      history.answered(entry, response(180, lines))
    }
    expect(history.entries).toHaveLength(128)
  })

  it('an index that lies costs nobody more than itself', () => {
    expect(of('<sip:bob@example.com>;index=1.0').retarget(uri('sip:b@c')).index).toBe('1.0.1')
    expect(of('<sip:bob@example.com>;index=7.7.7').retarget(uri('sip:b@c')).index).toBe('7.7.7.1')
  })
})
