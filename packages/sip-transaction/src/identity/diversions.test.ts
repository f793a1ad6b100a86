import { parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import {
  diversionCount,
  diversionsFromHistory,
  diversionsOf,
  divert,
  historyFromDiversions,
  mayDivert,
} from './diversions'
import { invite } from './fixtures/messages'
import { readHistory } from './history-entries'

const uri = (text: string) => {
  const read = parseUri(text)
  if (!read.ok) throw new Error(text)
  return read.value
}
const diverted = (...values: string[]) => invite(values.map((value) => `Diversion: ${value}`))
const texts = (values: readonly { toString(): string }[]) => values.map(String)

describe('Diversion', () => {
  it('RFC 5806 §4: is read with reason, counter, limit, privacy and screen, the last diversion first', () => {
    const [last, first] = diversionsOf(
      diverted(
        '"Bob" <tel:+2>;reason=User-Busy;counter=2;limit=4;privacy=full;screen=no, <sip:a@b>;reason="no-answer"',
      ),
    )
    expect(last).toMatchObject({ reason: 'user-busy', counter: 2, limit: 4, privacy: 'full', screen: false })
    expect(first).toMatchObject({ reason: 'no-answer', counter: undefined, screen: undefined })
    expect(diversionsOf(diverted('<'))).toEqual([])
    expect(diversionsOf(invite())).toEqual([])
  })

  it('RFC 5806 §4: a further one comes first, and those that are there stay as they came', () => {
    const changes = divert(diverted('<sip:a@b>;Reason="no-answer"', '<sip:0@b>'), {
      from: uri('sip:bob@example.com'),
      reason: 'unconditional',
      counter: 1,
      limit: 3,
      privacy: 'off',
      screen: true,
    })
    expect(changes).toEqual({
      remove: ['Diversion'],
      add: [
        ['Diversion', '<sip:bob@example.com>;reason=unconditional;counter=1;limit=3;privacy=off;screen=yes'],
        ['Diversion', '<sip:a@b>;Reason="no-answer"'],
        ['Diversion', '<sip:0@b>'],
      ],
    })
    expect(divert(invite(), { from: uri('tel:+1'), reason: 'away' })).toEqual({
      remove: [],
      add: [['Diversion', '<tel:+1>;reason=away']],
    })
  })

  it('RFC 5806 §4: counters and limits end a call that goes round', () => {
    expect(diversionCount(diversionsOf(diverted('<sip:a@b>;counter=3', '<sip:c@d>', '<sip:e@f>;counter=0')))).toBe(5)
    expect(mayDivert(invite(), 5)).toBe(true)
    expect(mayDivert(diverted('<sip:a@b>;counter=5'), 5)).toBe(false)
    expect(mayDivert(diverted('<sip:a@b>;counter=4'), 5)).toBe(true)
    expect(mayDivert(diverted('<sip:a@b>;limit=0'), 5)).toBe(false)
    expect(mayDivert(diverted('<sip:a@b>', '<sip:c@d>;limit=1'), 5)).toBe(false)
    expect(mayDivert(diverted('<sip:a@b>', '<sip:c@d>;limit=2'), 5)).toBe(true)
    expect(mayDivert(diverted('<sip:a@b>;counter=4294967295'), 5)).toBe(false)
  })
})

describe('Diversion and History-Info', () => {
  const history = (...entries: string[]) => readHistory(invite(entries.map((entry) => `History-Info: ${entry}`)))!

  it('RFC 7544 §4: who was diverted from is named by mp, or stands before; the last comes first', () => {
    const found = diversionsFromHistory(
      history(
        '<sip:user1@proxy1>;index=1',
        '<sip:user2@proxy2;cause=408?Privacy=history>;index=1.1;mp=1',
        '<sip:user3@proxy3;cause=486>;index=1.2;mp=1.1',
        '<sip:target@192.0.2.1;cause=302>;index=1.3;mp=1.2',
        '<sip:target@192.0.2.2>;index=1.3.1;rc=1.3',
      ),
    )
    expect(texts(found)).toEqual([
      '<sip:user3@proxy3>;reason=unconditional;counter=1;privacy=off',
      '<sip:user2@proxy2>;reason=user-busy;counter=1;privacy=full',
      '<sip:user1@proxy1>;reason=no-answer;counter=1;privacy=off',
    ])
  })

  it('RFC 7544 §5: the first diverting user is the root, and the target the last', () => {
    const made = historyFromDiversions(
      diversionsOf(
        diverted(
          '<sip:user3@proxy3>;reason=unconditional;counter=1;privacy=off, "U" <sip:user2@proxy2>;reason=user-busy;privacy=full',
          '"V" <sip:user1@proxy1>;reason=no-answer',
        ),
      ),
      uri('sip:target@192.0.2.1'),
    )
    expect(texts(made)).toEqual([
      '"V" <sip:user1@proxy1>;index=1',
      '<sip:user2@proxy2;cause=408?Privacy=history>;index=1.1;mp=1',
      '<sip:user3@proxy3;cause=486>;index=1.1.1;mp=1.1',
      '<sip:target@192.0.2.1;cause=302>;index=1.1.1.1;mp=1.1.1',
    ])
    expect(texts(diversionsFromHistory(made))).toHaveLength(3)
  })

  it.each([
    ['unconditional', '302'],
    ['user-busy', '486'],
    ['no-answer', '408'],
    ['deflection', '480'],
    ['unavailable', '503'],
    ['unknown', '404'],
  ])('RFC 7544 §4, §5: %s is cause %s, both ways', (reason, cause) => {
    const made = historyFromDiversions(diversionsOf(diverted(`<sip:a@b>;reason=${reason}`)), uri('sip:c@d'))
    expect(made[1]?.toString()).toBe(`<sip:c@d;cause=${cause}>;index=1.1;mp=1`)
    expect(diversionsFromHistory(made)[0]?.reason).toBe(reason)
  })

  it('RFC 7544 §5: reasons without a cause of their own are 404, and 487 is deflection', () => {
    const made = historyFromDiversions(
      diversionsOf(diverted('<sip:a@b>;reason=follow-me', '<sip:0@b>')),
      uri('sip:c@d'),
    )
    expect(texts(made)).toEqual([
      '<sip:0@b>;index=1',
      '<sip:a@b;cause=404>;index=1.1;mp=1',
      '<sip:c@d;cause=404>;index=1.1.1;mp=1.1',
    ])
    expect(diversionsFromHistory(history('<sip:a@b>;index=1', '<sip:c@d;cause=487>;index=1.1'))[0]?.reason).toBe(
      'deflection',
    )
  })

  it('RFC 7544 §5: a counter stands for others whom nobody names, and a lie in it for few of them', () => {
    const made = historyFromDiversions(diversionsOf(diverted('<sip:a@b>;reason=user-busy;counter=3')), uri('sip:c@d'))
    expect(texts(made)).toEqual([
      '<sip:unknown@unknown.invalid;cause=404>;index=1',
      '<sip:unknown@unknown.invalid;cause=404>;index=1.1;mp=1',
      '<sip:a@b;cause=404>;index=1.1.1;mp=1.1',
      '<sip:c@d;cause=486>;index=1.1.1.1;mp=1.1.1',
    ])
    const lies = Array.from({ length: 200 }, () => '<sip:a@b>;counter=4294967295')
    expect(historyFromDiversions(diversionsOf(diverted(...lies)), uri('sip:c@d')).length).toBeLessThanOrEqual(65)
    expect(historyFromDiversions(diversionsOf(diverted('<sip:a@b>;counter=4294967295')), uri('sip:c@d')).length).toBe(
      65,
    )
  })

  it('a history without causes tells of no diversion, and a root with one of nobody', () => {
    expect(diversionsFromHistory(history('<sip:a@b>;index=1', '<sip:a@c>;index=1.1;rc=1'))).toEqual([])
    expect(diversionsFromHistory(history('<sip:a@b;cause=302>;index=1'))).toEqual([])
    expect(diversionsFromHistory(history('<sip:a@b>;index=1', '<sip:c@d;cause=302>;index=1.1;mp=9.9'))).toHaveLength(1)
  })
})
