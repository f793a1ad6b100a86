import {
  createRequest,
  createResponse,
  parseUri,
  responseTo,
  type SipRequest,
  type SipResponse,
} from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { Dialog, dialogKey } from './dialog'

function invite(routes: readonly string[] = []): SipRequest {
  return createRequest({
    method: 'INVITE',
    uri: 'sip:bob@b.example',
    headers: [
      ['Via', 'SIP/2.0/UDP a.example;branch=z9hG4bK1'],
      ...routes.map((route): [string, string] => ['Record-Route', route]),
      ['From', '"A" <sip:alice@a.example>;tag=at'],
      ['To', '<sip:bob@b.example>'],
      ['Call-ID', 'call'],
      ['CSeq', '7 INVITE'],
      ['Contact', '<sip:alice@192.0.2.1:5070>'],
    ],
  })
}

function ok(request: SipRequest, contact = '<sip:bob@192.0.2.2>'): SipResponse {
  return responseTo(request, 200, { toTag: 'bt', headers: [['Contact', contact]], recordRoute: true })
}

const values = (headers: readonly (readonly [string, unknown])[], name: string) =>
  headers.filter(([key]) => key === name).map(([, value]) => String(value))

const proxies = ['<sip:p2.example;lr>', '<sip:p1.example;lr>']

describe('Dialog', () => {
  it('RFC 3261 §12.1.1: the answering side takes route set, tags and target from the request', () => {
    const dialog = Dialog.ofServer(invite(proxies), 'bt', false)
    expect(dialog.routeSet.map(String)).toEqual(proxies)
    expect([dialog.localTag, dialog.remoteTag, dialog.remoteCseq, dialog.localCseq]).toEqual(['bt', 'at', 7, 0])
    expect(dialog.remoteTarget.toString()).toBe('sip:alice@192.0.2.1:5070')
    expect(dialog.key).toBe(dialogKey('call', 'bt', 'at'))
  })

  it('RFC 3261 §12.1.2: the asking side takes them from the response, routes in reverse', () => {
    const request = invite(proxies)
    const dialog = Dialog.ofClient(request, ok(request), false)
    expect(dialog.routeSet.map(String)).toEqual([...proxies].reverse())
    expect([dialog.localTag, dialog.remoteTag, dialog.remoteCseq, dialog.localCseq]).toEqual(['at', 'bt', undefined, 7])
    expect(dialog.remoteTarget.toString()).toBe('sip:bob@192.0.2.2')
  })

  it('RFC 3261 §12.2.1.1: builds a request for a loose router, each with the next CSeq', () => {
    const dialog = Dialog.ofServer(invite(proxies), 'bt', false)
    const plan = dialog.nextRequest('BYE', [['Reason', 'x']])
    expect(plan.uri.toString()).toBe('sip:alice@192.0.2.1:5070')
    expect(values(plan.headers, 'Route')).toEqual(proxies)
    expect(values(plan.headers, 'From')).toEqual(['<sip:bob@b.example>;tag=bt'])
    expect(values(plan.headers, 'To')).toEqual(['"A" <sip:alice@a.example>;tag=at'])
    expect(values(plan.headers, 'CSeq')).toEqual(['1 BYE'])
    expect(values(plan.headers, 'Reason')).toEqual(['x'])
    expect(dialog.nextHop.toString()).toBe('sip:p2.example;lr')
    expect(values(dialog.nextRequest('INFO').headers, 'CSeq')).toEqual(['2 INFO'])
  })

  it('RFC 3261 §12.2.1.1: a strict router becomes the Request-URI and the target the last route', () => {
    const dialog = Dialog.ofServer(invite(['<sip:strict.example?Subject=x>', '<sip:p1.example;lr>']), 'bt', false)
    const plan = dialog.nextRequest('BYE')
    expect(plan.uri.toString()).toBe('sip:strict.example')
    expect(values(plan.headers, 'Route')).toEqual(['<sip:p1.example;lr>', '<sip:alice@192.0.2.1:5070>'])
    expect(dialog.nextHop.toString()).toBe('sip:strict.example')
  })

  it('RFC 3261 §13.2.2.4: the ACK has the number of its INVITE and does not count', () => {
    const request = invite()
    const dialog = Dialog.ofClient(request, ok(request), false)
    expect(values(dialog.ackFor(7).headers, 'CSeq')).toEqual(['7 ACK'])
    expect(dialog.localCseq).toBe(7)
  })

  it('RFC 3261 §12.2.2: takes requests in order only', () => {
    const dialog = Dialog.ofServer(invite(), 'bt', false)
    const bye = (seq: number) =>
      createRequest({
        method: 'BYE',
        uri: 'sip:b',
        headers: [
          ['Via', 'SIP/2.0/UDP a;branch=z9hG4bK2'],
          ['From', '<sip:a@a>;tag=at'],
          ['To', '<sip:b@b>;tag=bt'],
          ['Call-ID', 'call'],
          ['CSeq', `${seq} BYE`],
        ],
      })
    expect(dialog.acceptCseq(bye(6))).toBe(false)
    expect(dialog.acceptCseq(bye(7))).toBe(false)
    expect(dialog.acceptCseq(bye(9))).toBe(true)
    expect(dialog.acceptCseq(bye(8))).toBe(false)
  })

  it('RFC 3261 §12.2: a target refresh replaces the target; without Contact it stays', () => {
    const request = invite()
    const dialog = Dialog.ofClient(request, ok(request), false)
    dialog.refreshTarget(ok(request, '<sip:bob@192.0.2.9>'))
    expect(dialog.remoteTarget.toString()).toBe('sip:bob@192.0.2.9')
    dialog.refreshTarget(createResponse({ status: 200, headers: [['CSeq', '8 INVITE']] }))
    expect(dialog.remoteTarget.toString()).toBe('sip:bob@192.0.2.9')
  })

  it('RFC 2543: a peer without a tag has an empty one', () => {
    const request = createRequest({
      method: 'INVITE',
      uri: 'sip:b',
      headers: [
        ['Via', 'SIP/2.0/UDP a;branch=1'],
        ['From', '<sip:a@a>'],
        ['To', '<sip:b@b>'],
        ['Call-ID', 'c'],
        ['CSeq', '1 INVITE'],
      ],
    })
    const dialog = Dialog.ofServer(request, 'bt', false)
    expect(dialog.key).toBe(dialogKey('c', 'bt', ''))
    expect(values(dialog.nextRequest('BYE').headers, 'To')).toEqual(['<sip:a@a>'])
    const parsed = parseUri('sip:a@a')
    expect(parsed.ok && dialog.remoteTarget.toString() === parsed.value.toString()).toBe(true)
  })
})
