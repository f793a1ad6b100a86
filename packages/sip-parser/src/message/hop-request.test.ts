import { describe, expect, it } from 'vitest'
import { createRequest, responseTo } from './build'
import { hopRequest } from './hop-request'
import { parseMessage } from './parse'

const invite = createRequest({
  method: 'INVITE',
  uri: 'sip:b%C3%B6b@example.net;x=1',
  headers: [
    ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb'],
    ['Via', 'SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKc'],
    ['Route', '<sip:one;lr>'],
    ['From', '"Ä" <sip:a@example.com>;tag=1'],
    ['To', '<sip:b@example.net>'],
    ['Call-ID', 'c1'],
    ['Route', '<sip:two;lr>'],
    ['CSeq', '7 INVITE'],
    ['Contact', '<sip:a@192.0.2.1>'],
    ['X-Own', 'kept out'],
  ],
  body: 'v=0',
  contentType: 'application/sdp',
})

describe('hopRequest', () => {
  it('RFC 3261 §17.1.1.3: the ACK has the To of the response, one Via, the Routes, and nothing else of the INVITE', () => {
    const ack = hopRequest(invite, 'ACK', responseTo(invite, 486, { toTag: 'x' }))
    expect(ack.toString()).toBe(
      'ACK sip:b%C3%B6b@example.net;x=1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n' +
        'Route: <sip:one;lr>\r\nRoute: <sip:two;lr>\r\nFrom: "Ä" <sip:a@example.com>;tag=1\r\n' +
        'To: <sip:b@example.net>;tag=x\r\nCall-ID: c1\r\nCSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n',
    )
  })

  it('RFC 3261 §9.1: the CANCEL has the To of the INVITE, and further headers that cannot break out', () => {
    const cancel = hopRequest(invite, 'CANCEL', undefined, [['Reason', 'SIP ;cause=200']])
    const parsed = parseMessage(cancel.toBytes())
    expect(parsed.ok && parsed.message.kind === 'request' && parsed.message.method).toBe('CANCEL')
    expect([cancel.method, cancel.via.branch, cancel.cseq.method, cancel.to.tag]).toEqual([
      'CANCEL',
      'z9hG4bKa',
      'CANCEL',
      undefined,
    ])
    expect([cancel.get('Reason'), cancel.uri.toString()]).toEqual(['SIP ;cause=200', invite.uri.toString()])
    expect(() => hopRequest(invite, 'CANCEL', undefined, [['Reason', 'x\r\nVia: y']])).toThrow()
  })
})
