import { createRequest, type HeaderInit, parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { isSamePlace, readRefer } from './refer-target'

const refer = (...more: readonly HeaderInit[]) =>
  readRefer(
    createRequest({
      method: 'REFER',
      uri: 'sip:b@c',
      headers: [
        ['Via', 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa'],
        ['From', '<sip:a@b>;tag=1'],
        ['To', '<sip:b@b>;tag=2'],
        ['Call-ID', 'x'],
        ['CSeq', '2 REFER'],
        ['Max-Forwards', 70],
        ...more,
      ],
    }),
  )

describe('whom a REFER means', () => {
  it('RFC 3891 §4: the target without method and headers, and the dialog to be replaced', () => {
    const facts = refer(
      ['Refer-To', '<sip:c@d;method=INVITE;transport=tcp?Replaces=1%40x%3Bto-tag%3Dt%3Bfrom-tag%3Df&X-Evil=1>'],
      ['Referred-By', '<sip:a@b>'],
    )
    expect(facts).toMatchObject({ kind: 'refer', replaces: { callId: '1@x', toTag: 't', fromTag: 'f' } })
    if (facts.kind !== 'refer') throw new Error('refused')
    expect(facts.target.toString()).toBe('sip:c@d;transport=tcp')
    expect(facts.referredBy?.uri.toString()).toBe('sip:a@b')
  })

  it.each([
    [400, []],
    [400, ['<sip:a@b>', '<sip:c@d>']],
    [400, ['<sip:']],
    [416, ['<mailto:a@b>']],
    [501, ['<sip:a@b;method=SUBSCRIBE>']],
  ])('refuses with %i what no INVITE can carry out: %j', (status, values) => {
    expect(refer(...values.map((value): HeaderInit => ['Refer-To', value]))).toEqual({ kind: 'refused', status })
  })

  it('a malformed Replaces or Referred-By counts as none', () => {
    const facts = refer(['Refer-To', '<sip:c@d?Replaces=%3B%3B>'], ['Referred-By', '<<'])
    expect(facts).toMatchObject({ kind: 'refer', replaces: undefined, referredBy: undefined })
  })

  it('RFC 3261 §19.1.4: places are the same by user, host and port, whatever the parameters', () => {
    const uri = (text: string) => {
      const parsed = parseUri(text)
      if (!parsed.ok) throw new Error(text)
      return parsed.value
    }
    expect(isSamePlace(uri('sip:a@B:5060;x=1'), uri('sip:a@b'))).toBe(true)
    expect(isSamePlace(uri('sip:a@b'), uri('sip:c@b'))).toBe(false)
    expect(isSamePlace(uri('sip:a@b:5061'), uri('sip:a@b'))).toBe(false)
    expect(isSamePlace(uri('tel:+1'), uri('tel:+1'))).toBe(true)
  })
})
