/** Values of networks: what the table of all headers does not show, and making them. */
import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { cursor } from '../grammar/cursor'
import { attempt } from '../grammar/failure'
import { encodeText } from '../grammar/text'
import { wireOf } from '../grammar/wire'
import { strict, tolerant } from '../message/leniency'
import { parseUri, type Uri } from '../uri/index'
import { ServedUser } from './address-kinds'
import { decodeContentId } from './bodies'
import { ChargingAddresses, ChargingVector, decodeChargingAddresses, decodeChargingVector } from './charging'
import { Contact, decodeContact } from './contact'
import type { Codec } from './definition'
import { decodeIdentity, Identity } from './identity'
import { decodeServiceElement } from './lists'
import { AnswerMode, decodeFeatureSet, FeatureSet, ResourcePriority } from './preferences'
import { decodePrivacy } from './privacy'
import { decodeSecurityMechanism, SecurityMechanism } from './security'
import { decodeSessionId, SessionId } from './session-id'
import { decodeVia } from './via'

function read<T>(codec: Codec<T>, text: string, leniency = strict): T {
  const wire = wireOf(encodeText(text))
  return codec(wire, 0, wire.text.length, leniency)
}

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

describe('features', () => {
  it('RFC 3840 §9: tokens, texts, numbers, negation', () => {
    const contact = read(
      decodeContact,
      '<sip:a@b>;audio;video="FALSE";methods="INVITE,!BYE";mobility="fixed";+sip.instance="<urn:x>";priority="#10:30,#>=5,#=1,#<=-2.5";x=1;+odd="#x";expires=5',
    )
    const { features } = contact
    expect([...features.keys()]).toEqual(['audio', 'video', 'methods', 'mobility', '+sip.instance', 'priority', '+odd'])
    expect(features.get('audio')).toEqual({ values: [{ isNegated: false, value: true }] })
    expect(features.get('video')).toEqual({ values: [{ isNegated: false, value: false }] })
    expect(features.get('methods')?.values).toEqual([
      { isNegated: false, value: 'INVITE' },
      { isNegated: true, value: 'BYE' },
    ])
    expect(features.get('+sip.instance')).toEqual({ text: 'urn:x', values: [] })
    expect(features.get('priority')?.values.map(({ value }) => value)).toEqual([
      { min: 10, max: 30 },
      { min: 5, max: Number.POSITIVE_INFINITY },
      { min: 1, max: 1 },
      { min: Number.NEGATIVE_INFINITY, max: -2.5 },
    ])
    expect(features.get('+odd')?.values).toEqual([{ isNegated: false, value: '#x' }])
  })

  it('RFC 3841 §9.2: sets of features', () => {
    const set = read(decodeFeatureSet, '*;audio;methods="INVITE,BYE";require;explicit')
    expect([set.isRequired, set.isExplicit, [...set.features.keys()]]).toEqual([true, true, ['audio', 'methods']])
    expect(FeatureSet.of({ actor: 'principal', require: null }).toString()).toBe('*;actor="principal";require')
    expect(problemOf(decodeFeatureSet, '')).toEqual(['STAR_EXPECTED', 0])
    expect(problemOf(decodeFeatureSet, '*x')).toEqual(['UNEXPECTED_CHARACTER', 1])
    expect(AnswerMode.of('Auto', { require: null }).toString()).toBe('Auto;require')
    expect(() => AnswerMode.of('')).toThrow(SipUsageError)
    expect(ResourcePriority.of('wps', '0').toString()).toBe('wps.0')
    expect(() => ResourcePriority.of('a.b', '0')).toThrow(SipUsageError)
    expect(() => ResourcePriority.of('', '0')).toThrow(SipUsageError)
  })

  it('RFC 5626 §4, RFC 5627 §6.1: Contact tells instance, flow and GRUUs', () => {
    const contact = read(
      decodeContact,
      '<sip:a@b;ob>;reg-id=1;+sip.instance="<urn:uuid:1>";pub-gruu="sip:a@b;gr=1";temp-gruu="sip:t@b;gr"',
    )
    expect([contact.regId, contact.instance, contact.pubGruu, contact.tempGruu]).toEqual([
      1,
      'urn:uuid:1',
      'sip:a@b;gr=1',
      'sip:t@b;gr',
    ])
    expect(Contact.of({ uri: uriOf('sip:a@b') }).features.size).toBe(0)
  })
})

describe('overload control', () => {
  it('RFC 7339 §4: Via says what is offered and what is asked for', () => {
    const offer = read(decodeVia, 'SIP/2.0/UDP a;branch=z9;oc;oc-algo="loss,A"')
    expect([offer.oc, offer.ocAlgorithms, offer.ocValidityMs, offer.ocSequence]).toEqual([
      null,
      ['loss', 'A'],
      undefined,
      undefined,
    ])
    const answer = read(decodeVia, 'SIP/2.0/UDP a;oc=20;oc-algo="loss";oc-validity=500;oc-seq=1282321615.782;keep=30')
    expect([answer.oc, answer.ocValidityMs, answer.ocSequence, answer.keep]).toEqual([20, 500, 1282321615.782, 30])
    const plain = read(decodeVia, 'SIP/2.0/UDP a;other=x')
    expect([plain.oc, plain.ocAlgorithms, plain.keep]).toEqual([undefined, [], undefined])
  })

  it.each([
    ['oc=x', 'NUMBER_INVALID', 17],
    ['oc=4294967296', 'NUMBER_TOO_LARGE', 17],
    ['oc=99999999999', 'NUMBER_INVALID', 14],
    ['oc-validity=1.5', 'NUMBER_INVALID', 27],
    ['oc-seq=1', 'NUMBER_INVALID', 21],
    ['oc-seq', 'NUMBER_INVALID', 14],
    ['OC-algo=loss', 'PARAMETER_INVALID', 14],
  ])('RFC 7339 §4: %s is refused with %s at %i', (text, code, at) =>
    expect(problemOf(decodeVia, `SIP/2.0/UDP a;${text}`)).toEqual([code, at]),
  )
})

describe('identity', () => {
  const info = uriOf('https://cert.example.org/passport.cer')

  it('RFC 8224 §4: a PASSporT, whole or compact', () => {
    const whole = read(decodeIdentity, 'eyJh.eyJk.c2ln-_; info = <https://a/b> ;alg=ES256;ppt=shaken')
    expect(whole.passport).toEqual({ header: 'eyJh', payload: 'eyJk', signature: 'c2ln-_' })
    expect([whole.info?.toString(), whole.alg, whole.ppt]).toEqual(['https://a/b', 'ES256', 'shaken'])
    expect(whole.toString()).toBe('eyJh.eyJk.c2ln-_;info=<https://a/b>;alg=ES256;ppt=shaken')
    const made = Identity.of({ signature: '..c2ln', info, alg: 'ES256', ppt: 'shaken', params: { x: 'a b' } })
    expect(made.toString()).toBe('..c2ln;info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken;x="a b"')
    expect(() => Identity.of({ signature: 'a b', info })).toThrow(SipUsageError)
  })

  it('RFC 4474 §9: the older form has its certificate elsewhere', () => {
    const old = read(
      decodeIdentity,
      '"ZYNBbHC00VMZr2kZt6VmCvPonWJMGvQTBDqghoWeLxJfzB2a1pxAr3VgrB0SsSAaifsRdiOPoQZYOy2wrVghuhcsMbHWUSFxI6p6q5TOQXHMmz6uEo3svJsSH49thyGn"',
    )
    expect([old.info, old.passport, old.toString().startsWith('"ZYNB')]).toEqual([undefined, undefined, true])
    expect(read(decodeIdentity, 'r5mw/0+A=').signature).toBe('r5mw/0+A=')
  })

  it.each([
    ['a.b;info=<https://a>', 'IDENTITY_INVALID', 0],
    ['a.b.;info=<https://a>', 'IDENTITY_INVALID', 0],
    ['a.b.c.d;info=<https://a>', 'IDENTITY_INVALID', 0],
    ['""', 'IDENTITY_INVALID', 0],
    [';info=<https://a>', 'IDENTITY_INVALID', 0],
    ['..s', 'PARAMETER_MISSING', 0],
    ['..s;info=https://a', 'ADDRESS_BRACKET_MISSING', 9],
    ['..s;info=<https://a', 'ADDRESS_BRACKET_MISSING', 9],
    ['..s;info', 'PARAMETER_INVALID', 4],
    ['..s;info=<https://a>;INFO=<https://a>', 'PARAMETER_REPEATED', 21],
    ['..s;alg=a;alg=b', 'PARAMETER_REPEATED', 10],
    ['..s;info=<https://a>,..s;info=<https://a>', 'UNEXPECTED_CHARACTER', 20],
    [`..s${';a'.repeat(2)}`, 'PARAMETER_REPEATED', 6],
  ])('RFC 8224 §4: %s is refused with %s at %i', (text, code, at) =>
    expect(problemOf(decodeIdentity, text)).toEqual([code, at]),
  )

  it('RFC 7989 §5: Session-ID', () => {
    const [one, nil] = ['ab30317f1a784dc48ff824d0d3715d86', '0'.repeat(32)]
    expect(SessionId.of(one, nil).toString()).toBe(`${one};remote=${nil}`)
    expect(read(decodeSessionId, `${one};logme`).remote).toBeUndefined()
    expect(() => SessionId.of('x')).toThrow(SipUsageError)
    expect(problemOf(decodeSessionId, one.toUpperCase())).toEqual(['SESSION_ID_INVALID', 0])
    expect(problemOf(decodeSessionId, `${one}0`)).toEqual(['SESSION_ID_INVALID', 0])
    expect(problemOf(decodeSessionId, `${one};remote`)).toEqual(['SESSION_ID_INVALID', 33])
    expect(problemOf(decodeSessionId, `${one};remote=${one}g`)).toEqual(['SESSION_ID_INVALID', 40])
  })

  it('RFC 3323 §4.2: Privacy', () => {
    expect(read(decodePrivacy, 'Header;USER ; id')).toEqual(['header', 'user', 'id'])
    expect(problemOf(decodePrivacy, 'id,user')).toEqual(['UNEXPECTED_CHARACTER', 2])
    expect(problemOf(decodePrivacy, 'id user')).toEqual(['UNEXPECTED_CHARACTER', 3])
    expect(problemOf(decodePrivacy, ';id')).toEqual(['TOKEN_EXPECTED', 0])
    expect(problemOf(decodePrivacy, 'id;'.repeat(65))).toEqual(['TOO_MANY_PARAMETERS', 192])
  })
})

describe('security', () => {
  it('RFC 3329 §2.2: a digest stands in quotes, and in no log', () => {
    const made = SecurityMechanism.of('digest', { 'd-alg': 'MD5', 'd-ver': '0123abcd', q: '0.5' })
    expect(made.toString()).toBe('digest;d-alg=MD5;d-ver="0123abcd";q=0.5')
    expect([made.q, made.digestVerify]).toEqual([0.5, '0123abcd'])
    expect(JSON.stringify(made)).not.toContain('0123abcd')
    expect(JSON.stringify(made)).toContain('digest;d-alg=MD5')
    expect(() => SecurityMechanism.of('tls', { q: '2' })).toThrow(SipUsageError)
    expect(read(decodeSecurityMechanism, 'ipsec-3gpp;alg=hmac-md5-96;spi-c=1').params.get('spi-c')).toBe('1')
  })
})

describe('charging and services', () => {
  it('RFC 7315 §4.5: addresses may be repeated, with semicolons or commas between them', () => {
    const value = read(decodeChargingAddresses, 'ccf=a ; ccf-2="[x]" , ecf=b')
    expect([value.ccf, value.ecf, value.entries.length]).toEqual([['a', '[x]'], ['b'], 3])
    expect(value.toString()).toBe('ccf=a;ccf-2="[x]";ecf=b')
    expect(ChargingAddresses.of([['ccf', '2001:db8::1']]).toString()).toBe('ccf=2001:db8::1')
    expect(() => ChargingAddresses.of([])).toThrow(SipUsageError)
    expect(() => ChargingAddresses.of([['ccf=a;ecf', 'b']])).toThrow(SipUsageError)
    expect(problemOf(decodeChargingAddresses, 'ccf=a;;ecf=b')).toEqual(['EMPTY_PARAMETER', 6])
    expect(read(decodeChargingAddresses, 'ccf=a;;ecf=b', tolerant).entries.length).toBe(2)
  })

  it('RFC 7315 §4.6: a charging vector needs its identifier', () => {
    expect(ChargingVector.of({ 'icid-value': 'a b', 'orig-ioi': 'x' }).toString()).toBe('icid-value="a b";orig-ioi=x')
    expect(() => ChargingVector.of({ 'orig-ioi': 'x' })).toThrow(SipUsageError)
    expect(problemOf(decodeChargingVector, 'icid-value=a;icid-value=b')).toEqual(['PARAMETER_REPEATED', 13])
    expect(problemOf(decodeChargingVector, 'icid-value=a,orig-ioi=b')).toEqual(['UNEXPECTED_CHARACTER', 12])
    expect(problemOf(decodeChargingVector, 'icid-value=""')).toEqual(['PARAMETER_MISSING', 0])
  })

  it('RFC 6050 §4.1, RFC 5502 §6, RFC 8262 §3', () => {
    const text = 'urn:urn-7:a.b , urn:urn-7:c'
    expect([read(decodeServiceElement, text).toString(), cursor.next]).toEqual(['urn:urn-7:a.b', 14])
    const user = ServedUser.of({ uri: uriOf('sip:a@b'), params: { sescase: 'ORIG' } })
    expect([user.sessionCase, user.registrationState, user.withParam('regstate', 'unreg').registrationState]).toEqual([
      'orig',
      undefined,
      'unreg',
    ])
    for (const id of ['a@b', '<a@b', '<@b>', '<a@>', '<ab>', '<a@b@c>', '<<a@b>', '<a"@b>', '<a@b>x'])
      expect(String(problemOf(decodeContentId, id)), id).toContain('CONTENT_ID_INVALID')
  })
})
