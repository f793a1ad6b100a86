/** Sequence fuzzing of proxies: many seeds, each a world of its own. `npm run sim -- --target proxy` does it for longer. */
import { describe, expect, it } from 'vitest'
import { ProxyBook } from './proxy-book'
import { ProxyWorld } from './proxy-world'

const operations = 25

describe('proxies on a bad network', () => {
  it.each([1, 11, 21, 31])('keep the rules, ten seeds from %i', async (first) => {
    for (let seed = first; seed < first + 10; seed += 1) {
      const world = new ProxyWorld(seed)
      await world.run(operations)
      expect(world.violations, `npm run sim -- --target proxy --seed ${seed} --seconds 0`).toEqual([])
      expect(world.sent).toBeGreaterThan(20)
    }
  })

  it('do the same again with the same seed', async () => {
    const twins = [new ProxyWorld(4), new ProxyWorld(4)]
    for (const world of twins) await world.run(operations)
    expect(twins[0]?.ladder).toEqual(twins[1]?.ladder)
  })

  it('the book finds a second final response, a hop that was not counted, and a CANCEL of nothing', () => {
    const book = new ProxyBook(new Set(['10.0.0.9']))
    const address = (host: number) => ({ transport: 'UDP', address: `10.0.0.${host}`, port: 5060 })
    const note = (from: number, to: number, ...lines: string[]) =>
      book.note({ atMs: 0, from: address(from), to: address(to), bytes: Buffer.from(lines.join('\r\n')), fate: 'sent' })
    const [one, two] = ['Via: SIP/2.0/UDP a;branch=z1', 'Via: SIP/2.0/UDP p;branch=z2']
    note(1, 9, 'INVITE sip:x SIP/2.0', one, 'Max-Forwards: 70', 'CSeq: 1 INVITE')
    note(9, 2, 'INVITE sip:x SIP/2.0', two, one, 'Max-Forwards: 70', 'CSeq: 1 INVITE')
    note(9, 1, 'SIP/2.0 486 Busy', one, 'CSeq: 1 INVITE')
    note(9, 1, 'SIP/2.0 200 OK', one, 'CSeq: 1 INVITE')
    note(9, 1, 'SIP/2.0 404 No', one, 'CSeq: 1 INVITE')
    note(9, 2, 'CANCEL sip:x SIP/2.0', 'Via: SIP/2.0/UDP p;branch=z3', 'CSeq: 1 CANCEL')
    note(9, 1, 'SIP/2.0 200 OK', 'Via: SIP/2.0/UDP a;branch=z9', 'CSeq: 1 INVITE')
    expect(book.violations.map((violation) => violation.slice(0, 13))).toEqual([
      'Max-Forwards ',
      '404 after 486',
      'CANCEL of no ',
      'a response to',
    ])
  })
})
