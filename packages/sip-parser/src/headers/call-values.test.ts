/** Values of calls and subscriptions: what the table of all headers does not show, and making them. */
import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { attempt } from '../grammar/failure'
import { encodeText } from '../grammar/text'
import { wireOf } from '../grammar/wire'
import { parametersMax } from '../limits'
import { strict } from '../message/leniency'
import { parseUri, SipUri, type Uri } from '../uri/index'
import { Diversion, decodeDiversion, decodeReferredBy, decodeReferTo, ReferTo } from './address-kinds'
import type { Codec } from './definition'
import { decodeJoin, decodeReplaces, decodeTargetDialog, Join, Replaces, SessionExpires, TargetDialog } from './dialogs'
import { decodeSubscriptionState, EventType, SubscriptionState } from './events'
import { decodeHistoryEntry, HistoryEntry } from './history'
import { Warning } from './lists'
import { Reason } from './reason'
import { RAck } from './scalars'
import { decodeUserToUser, UserToUser } from './user-to-user'
import { decodeFlag, FlagWithParams, SecondsWithParams, UriWithParams, ValueWithParams } from './values'

function read<T>(codec: Codec<T>, text: string): T {
  const wire = wireOf(encodeText(text))
  return codec(wire, 0, wire.text.length, strict)
}

/** The code and place of the problem. */
function problemOf(codec: Codec<unknown>, text: string): unknown {
  const wire = wireOf(encodeText(text))
  const result = attempt(() => codec(wire, 0, wire.text.length, strict))
  return result.ok ? 'accepted' : [result.error.code, result.error.offset]
}

function uriOf(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(text)
  return result.value
}

describe('Replaces, Join, Target-Dialog', () => {
  it('RFC 3891 §6.1: are made and written', () => {
    const replaces = Replaces.of({ callId: 'a@b', toTag: '1', fromTag: '2', earlyOnly: true, params: { x: 'y z' } })
    expect(replaces.toString()).toBe('a@b;x="y z";to-tag=1;from-tag=2;early-only')
    expect(JSON.stringify(replaces)).toContain('early-only')
    expect(Join.of({ callId: 'a', toTag: '1', fromTag: '2' }).toString()).toBe('a;to-tag=1;from-tag=2')
    expect(TargetDialog.of({ callId: 'a', localTag: '1', remoteTag: '2' }).toString()).toBe(
      'a;local-tag=1;remote-tag=2',
    )
    for (const callId of ['', 'a b', 'a\r\nb', 'a;b'])
      expect(() => Replaces.of({ callId, toTag: '1', fromTag: '2' }), callId).toThrow(SipUsageError)
    expect(() => Join.of({ callId: 'a', toTag: 'x y', fromTag: '2' })).toThrow(SipUsageError)
    expect(() => TargetDialog.of({ callId: 'a', localTag: '' })).toThrow(SipUsageError)
  })

  it.each([
    ['a;to-tag=1;from-tag=2;to-tag=3', 'PARAMETER_REPEATED', 22],
    ['a;to-tag=1;from-tag=2;TO-TAG=3', 'PARAMETER_REPEATED', 22],
    ['a;to-tag="1";from-tag=2', 'PARAMETER_INVALID', 2],
    ['a;to-tag=;from-tag=2', 'PARAMETER_INVALID', 9],
    ['a ; to-tag = 1 ; from-tag', 'PARAMETER_INVALID', 17],
    ['a,b;to-tag=1;from-tag=2', 'UNEXPECTED_CHARACTER', 1],
    [';to-tag=1;from-tag=2', 'HEADER_EMPTY', 0],
    ['a;from-tag=2', 'PARAMETER_MISSING', 0],
    ['', 'HEADER_EMPTY', 0],
  ])('RFC 3891 §6.1: %s is refused with %s at %i', (text, code, at) => {
    expect(problemOf(decodeReplaces, text)).toEqual([code, at])
    expect(problemOf(decodeJoin, text)).toEqual([code, at])
  })

  it('keep other parameters, quoted pairs resolved', () => {
    expect(read(decodeTargetDialog, 'a@b ;local-tag=1;x="a\\"b;c"').params.get('x')).toBe('a"b;c')
  })

  it('RFC 3261 §7.3.1: have no more parameters than the limit', () => {
    const many = Array.from({ length: parametersMax + 1 }, (_, at) => `;p${at}`).join('')
    expect(problemOf(decodeTargetDialog, `a${many}`)).toEqual(['TOO_MANY_PARAMETERS', 247])
  })
})

describe('session timers', () => {
  it('RFC 4028 §4, §5: are made and written', () => {
    expect(SessionExpires.of(1800, 'uas').toString()).toBe('1800;refresher=uas')
    expect([SessionExpires.of(90).refresher, SecondsWithParams.of(90, { x: null }).toString()]).toEqual([
      undefined,
      '90;x',
    ])
    for (const seconds of [-1, 1.5, 4294967296, Number.NaN])
      expect(() => SessionExpires.of(seconds), String(seconds)).toThrow(SipUsageError)
  })
})

describe('events', () => {
  it('RFC 6665 §8.2: are made and written', () => {
    expect(EventType.of('dialog', 'x1', { 'sla-x': 'a b' }).toString()).toBe('dialog;sla-x="a b";id=x1')
    for (const name of ['a b', 'a;id=1', 'a,b', '']) expect(() => EventType.of(name), name).toThrow(SipUsageError)
    const state = SubscriptionState.of({ state: 'terminated', reason: 'giveup', retryAfter: 5, params: { x: '1' } })
    expect(state.toString()).toBe('terminated;x=1;reason=giveup;retry-after=5')
    expect([state.expires, state.reason, state.retryAfter]).toEqual([undefined, 'giveup', 5])
    expect(() => SubscriptionState.of({ state: 'active', expires: -1 })).toThrow(SipUsageError)
  })

  it.each([
    ['active;expires', 'NUMBER_INVALID', 7],
    ['active;expires=4294967296', 'NUMBER_TOO_LARGE', 15],
    ['active;retry-after="5"', 'NUMBER_INVALID', 19],
    ['terminated;reason="timeout"', 'PARAMETER_INVALID', 11],
    ['active;expires=1;Expires=2', 'PARAMETER_REPEATED', 17],
    ['active,pending', 'UNEXPECTED_CHARACTER', 6],
    ['"active"', 'TOKEN_EXPECTED', 0],
  ])('RFC 6665 §8.2.3: Subscription-State %s is refused with %s at %i', (text, code, at) =>
    expect(problemOf(decodeSubscriptionState, text)).toEqual([code, at]),
  )
})

describe('transfer', () => {
  it('RFC 3891 §4: Refer-To names the dialog to be replaced, escapes decoded once', () => {
    const text = '<sip:bob@b.example?Replaces=12345%25601%40192.0.2.1%3Bto-tag%3D12%3Bfrom-tag%3D5F35&x=y>'
    const { replaces, method } = read(decodeReferTo, text)
    expect([replaces?.callId, replaces?.toTag, replaces?.fromTag, method]).toEqual([
      '12345%601@192.0.2.1',
      '12',
      '5F35',
      'INVITE',
    ])
    expect(read(decodeReferTo, '<sip:b?Replaces=a>').replaces).toBeUndefined()
    expect(read(decodeReferTo, '<sip:b>').replaces).toBeUndefined()
    expect(read(decodeReferTo, 'tel:+1').replaces).toBeUndefined()
    const made = ReferTo.of({
      uri: SipUri.of({
        host: 'b',
        headers: { Replaces: Replaces.of({ callId: 'a@b', toTag: '1', fromTag: '2' }).toString() },
      }),
    })
    expect(made.replaces?.toTag).toBe('1')
    expect(made.withParam('x', 'y')).toBeInstanceOf(ReferTo)
  })

  it('RFC 3892 §2.1: Referred-By names the part that proves it', () => {
    expect(read(decodeReferredBy, '"A" <sip:a@b>;cid="2@c"').cid).toBe('2@c')
    expect(read(decodeReferredBy, 'sip:a@b').cid).toBeUndefined()
  })

  it('RFC 4488 §4: Refer-Sub', () => {
    expect(FlagWithParams.of(false, { x: '1' }).toString()).toBe('false;x=1')
    expect(problemOf(decodeFlag, 'true,false')).toEqual(['UNEXPECTED_CHARACTER', 4])
  })
})

describe('history', () => {
  it('RFC 7044 §5.1: an entry has an index, and headers in its URI', () => {
    const entry = read(
      decodeHistoryEntry,
      '<sip:b@e.com;p=x?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%2C%20there%22%2CQ.850%3Bcause%3D16&Privacy=history>;index=1.1;mp=1',
    )
    expect(entry.reasons.map(({ protocol, cause, text }) => [protocol, cause, text])).toEqual([
      ['SIP', 302, 'Moved, there'],
      ['Q.850', 16, undefined],
    ])
    expect([entry.index, entry.mp, entry.np, entry.privacy]).toEqual(['1.1', '1', undefined, ['history']])
    expect(entry.target.toString()).toBe('sip:b@e.com;p=x')
    const plain = read(decodeHistoryEntry, '<tel:+1>;index=1')
    expect([plain.reasons, plain.privacy, plain.target.toString()]).toEqual([[], [], 'tel:+1'])
    expect(read(decodeHistoryEntry, '<sip:b?Reason=%22>;index=1').reasons).toEqual([])
  })

  it.each([
    ['<sip:a@b>', 'PARAMETER_MISSING', 0],
    ['<sip:a@b>;index', 'INDEX_INVALID', 10],
    ['<sip:a@b>;index=1..2', 'INDEX_INVALID', 18],
    ['<sip:a@b>;index=.1', 'INDEX_INVALID', 16],
    ['<sip:a@b>;index=1;rc=x', 'INDEX_INVALID', 21],
    ['<sip:a@b>;index="1"', 'INDEX_INVALID', 16],
    ['<sip:a@b>;index=1;index=2', 'PARAMETER_REPEATED', 18],
  ])('RFC 7044 §5.1: %s is refused with %s at %i', (text, code, at) =>
    expect(problemOf(decodeHistoryEntry, text)).toEqual([code, at]),
  )

  it('is made and changed', () => {
    const entry = HistoryEntry.of({ uri: uriOf('sip:a@b'), params: { index: '1' } })
    expect(entry.withParam('index', '1.1').index).toBe('1.1')
    expect(() => entry.withParam('index', undefined)).toThrow(SipUsageError)
    expect(() => HistoryEntry.of({ uri: uriOf('sip:a@b') })).toThrow(SipUsageError)
  })

  it('RFC 5806 §4: Diversion', () => {
    const value = Diversion.of({ displayName: 'A', uri: uriOf('tel:+1'), params: { reason: 'no-answer', limit: '3' } })
    expect([value.toString(), value.reason, value.limit]).toEqual([
      '"A" <tel:+1>;reason=no-answer;limit=3',
      'no-answer',
      3,
    ])
    expect(value.withParam('counter', '2').counter).toBe(2)
    expect(() => value.withParam('counter', 'x')).toThrow(SipUsageError)
    expect(problemOf(decodeDiversion, '<sip:a@b>;limit="1"')).toEqual(['NUMBER_INVALID', 16])
  })
})

describe('data and reasons', () => {
  it('RFC 7433 §4.1: User-to-User is bytes in hexadecimal, or text', () => {
    const made = UserToUser.of({ data: Uint8Array.of(4, 255), purpose: 'isdn-uui', content: 'isdn-uui' })
    expect(made.toString()).toBe('04FF;purpose=isdn-uui;content=isdn-uui;encoding=hex')
    expect(made.bytes).toEqual(Buffer.from([4, 255]))
    const text = read(decodeUserToUser, '"a, \\"b\\"";encoding=x')
    expect([text.data, text.bytes, text.toString()]).toEqual(['a, "b"', undefined, '"a, \\"b\\"";encoding=x'])
    expect([read(decodeUserToUser, '0AF').bytes, read(decodeUserToUser, '0A').bytes?.length]).toEqual([undefined, 1])
    expect(UserToUser.of({ data: 'x y' }).toString()).toBe('"x y"')
  })

  it('RFC 3326 §2: the text of a Reason always stands in quotes', () => {
    expect(Reason.of({ protocol: 'SIP', cause: 200, text: 'OK' }).toString()).toBe('SIP;cause=200;text="OK"')
    expect(Reason.of({ protocol: 'Q.850', params: { location: 'LN' } }).cause).toBeUndefined()
    for (const protocol of ['a b', 'SIP;cause=1', 'SIP,SIP'])
      expect(() => Reason.of({ protocol }), protocol).toThrow(SipUsageError)
    expect(() => Reason.of({ protocol: 'SIP', cause: 1.5 })).toThrow(SipUsageError)
  })

  it('values that a program makes are written as they are read', () => {
    expect(RAck.of(1, 2, 'INVITE').toString()).toBe('1 2 INVITE')
    expect(() => RAck.of(-1, 2, 'INVITE')).toThrow(SipUsageError)
    expect(Warning.of(370, 'a.example', 'say "no"').toString()).toBe('370 a.example "say \\"no\\""')
    expect(() => Warning.of(1, 'a', 'b')).toThrow(SipUsageError)
    expect(UriWithParams.of(uriOf('http://a/?b;c'), { purpose: 'icon' }).toString()).toBe(
      '<http://a/?b;c>;purpose=icon',
    )
    expect(ValueWithParams.of('text/*', { q: '0.5' }).q).toBe(0.5)
    expect(ValueWithParams.of('two words').toString()).toBe('"two words"')
  })
})
