import { type NameAddr, parseMessage, parseUri, responseTo, type SipRequest, type Uri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { readAddress } from '../endpoint/requests/outgoing'
import { sampleRequest } from '../testing/sample-messages'
import { forwardRequest, planForward } from './forward-request'
import { LoopGuard } from './loop'
import { RouteMarks } from './route-mark'

const uri = (text: string): Uri => {
  const parsed = parseUri(text)
  if (!parsed.ok) throw new Error(text)
  return parsed.value
}
const route = (text: string): NameAddr => readAddress(text, 'Route')
const noHeaders = {
  via: 'SIP/2.0/UDP p;branch=z9hG4bKx',
  recordRoutes: [],
  breadth: 60,
  edits: undefined,
  headers: undefined,
  path: undefined,
}

describe('RouteMarks', () => {
  const marks = new RouteMarks('secret')
  const mark = marks.dialog('call', 'tag-a', { flowId: 7, isOnlyWay: false }, { flowId: 99, isOnlyWay: true })

  it('RFC 3261 §16.12.1.1: is read in both directions, each with the flow of the other side', () => {
    expect(marks.readDialog(mark, 'call', 'tag-a', 'tag-b')?.flow).toEqual({ flowId: 99, isOnlyWay: true })
    expect(marks.readDialog(mark, 'call', 'tag-b', 'tag-a')?.flow).toEqual({ flowId: 7, isOnlyWay: false })
    const plain = marks.dialog('call', 'tag-a', undefined, undefined)
    expect(marks.readDialog(plain, 'call', 'tag-a', 'tag-b')).toEqual({ flow: undefined })
  })

  it('is good for its own dialog and its own proxy only, and not with another flow in it', () => {
    expect(marks.readDialog(mark, 'other', 'tag-a', 'tag-b')).toBeUndefined()
    expect(marks.readDialog(mark, 'call', 'tag-c', 'tag-b')).toBeUndefined()
    expect(new RouteMarks('other').readDialog(mark, 'call', 'tag-a', 'tag-b')).toBeUndefined()
    expect(marks.readDialog(mark.replace('2r', '2s'), 'call', 'tag-a', 'tag-b')).toBeUndefined()
    for (const forged of ['', '.', 'x'.repeat(100_000), `${mark}x`, mark.slice(0, -1), `.${'A'.repeat(16)}`])
      expect(marks.readDialog(forged, 'call', 'tag-a', 'tag-b')).toBeUndefined()
  })

  it('RFC 5626 §5.2: a Path names one flow, and a dialog mark is none', () => {
    expect(marks.readPath(marks.path(1234))).toBe(1234)
    expect(marks.readPath(new RouteMarks('other').path(1234))).toBeUndefined()
    expect(marks.readPath(mark)).toBeUndefined()
  })
})

describe('LoopGuard', () => {
  const guard = new LoopGuard(Buffer.from('01234567'))
  const forwarded = (request: SipRequest, changed?: Uri) => {
    const branch = guard.branch('abc', guard.hashOf(request))
    const edit = request.edit().prepend('Via', `SIP/2.0/UDP 192.0.2.9;branch=${branch}`)
    return (changed === undefined ? edit : edit.setUri(changed)).build()
  }

  it('RFC 3261 §16.3 step 4: the same request again is a loop, wherever our Via stands', () => {
    const request = sampleRequest()
    const back = forwarded(request).edit().prepend('Via', 'SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKelse').build()
    expect(guard.isLoop(back.vias, guard.hashOf(back))).toBe(true)
    expect(guard.isLoop(request.vias, guard.hashOf(request))).toBe(false)
  })

  it('RFC 5393 §3: with another Request-URI it is a spiral, and a loop when it comes a third time', () => {
    const request = sampleRequest()
    const spiral = forwarded(request, uri('sip:other@example.net'))
    expect(guard.isLoop(spiral.vias, guard.hashOf(spiral))).toBe(false)
    const again = forwarded(spiral, uri('sip:bob@example.net'))
    expect(guard.isLoop(again.vias, guard.hashOf(again))).toBe(true)
  })

  it('RFC 3261 §16.11: a branch without state is the same for each copy, its CANCEL and its ACK', () => {
    const invite = sampleRequest()
    const branch = (request: SipRequest) => guard.statelessBranch(request, guard.hashOf(request))
    expect(branch(sampleRequest())).toBe(branch(invite))
    expect(branch(sampleRequest({ method: 'CANCEL' }))).toBe(branch(invite))
    expect(branch(sampleRequest({ method: 'ACK', toTag: 'bob' }))).toBe(branch(invite))
    expect(branch(sampleRequest({ branch: 'z9hG4bKother' }))).not.toBe(branch(invite))
    expect(branch(sampleRequest({ branch: '', cseq: 2 }))).not.toBe(branch(sampleRequest({ branch: '' })))
  })

  it('knows responses to what it has forwarded without state, and no others', () => {
    for (const invite of [sampleRequest(), sampleRequest({ branch: 'old-style' })]) {
      const branch = guard.statelessBranch(invite, guard.hashOf(invite))
      const sent = invite.edit().prepend('Via', `SIP/2.0/UDP 192.0.2.9;branch=${branch}`).build()
      const response = responseTo(sent, 200, { toTag: 'b' })
      expect(guard.isStatelessResponse(response)).toBe(true)
      // A victim in place of the one who asked.
      const turned = response.edit().removeFirst('Via').removeFirst('Via')
      const other = turned
        .prepend('Via', 'SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKsample')
        .prepend('Via', `SIP/2.0/UDP 192.0.2.9;branch=${branch}`)
      expect(guard.isStatelessResponse(other.build())).toBe(false)
    }
    expect(guard.isStatelessResponse(responseTo(sampleRequest(), 200))).toBe(false)
  })
})

describe('forwardRequest', () => {
  const written = (request: SipRequest, target: string, own = 0, routes: NameAddr[] = [], isStrict = false) => {
    const plan = planForward(request, uri(target), own, routes, isStrict)
    const text = Buffer.from(forwardRequest(request, plan, noHeaders).toBytes()).toString()
    const parsed = parseMessage(Buffer.from(text))
    if (!parsed.ok) throw new Error(text)
    return { nextHop: plan.nextHop.toString(), message: parsed.message as SipRequest, text }
  }

  it('RFC 3261 §16.6 steps 2, 3 and 8: new Request-URI, one hop less, our Via on top, the rest byte for byte', () => {
    const raw =
      'INVITE sip:bob@example.net SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nmax-forwards:  9\r\nFrom: <sip:a@b>;tag=1\r\n' +
      't: <sip:bob@example.net>\r\nX-oDD :  value\r\ni: c1\r\nCSeq: 1 INVITE\r\nl: 4\r\n\r\nbody'
    const parsed = parseMessage(Buffer.from(raw))
    if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('malformed')
    const { text, nextHop } = written(parsed.message, 'sip:bob@192.0.2.5')
    expect(nextHop).toBe('sip:bob@192.0.2.5')
    expect(text).toBe(
      'INVITE sip:bob@192.0.2.5 SIP/2.0\r\nVia: SIP/2.0/UDP p;branch=z9hG4bKx\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n' +
        'Max-Forwards: 8\r\nFrom: <sip:a@b>;tag=1\r\nt: <sip:bob@example.net>\r\nX-oDD :  value\r\ni: c1\r\nCSeq: 1 INVITE\r\nl: 4\r\nMax-Breadth: 60\r\n\r\nbody',
    )
  })

  it('RFC 3261 §16.4 and §16.6 step 6: our Routes go, the next one stays and is the next hop', () => {
    const request = sampleRequest({
      headers: [
        ['Route', '<sip:us;lr>, <sip:us;lr>,<sip:us;lr>'],
        ['Route', '<sip:next;lr>'],
      ],
    })
    const { nextHop, message } = written(request, 'sip:bob@example.net', 3)
    expect(nextHop).toBe('sip:next;lr')
    expect(message.getAll('Route')).toEqual(['<sip:next;lr>'])
    expect(written(request, 'sip:bob@example.net', 4).message.has('Route')).toBe(false)
  })

  it('RFC 3261 §16.6 step 6: a strict router becomes the Request-URI, and the target the last Route', () => {
    const request = sampleRequest({ headers: [['Route', '<sip:us;lr>, <sip:strict>, <sip:after;lr>']] })
    const { nextHop, message } = written(request, 'sip:bob@example.net', 1)
    expect([nextHop, message.uri.toString()]).toEqual(['sip:strict', 'sip:strict'])
    expect(message.getAll('Route')).toEqual(['<sip:after;lr>', '<sip:bob@example.net>'])
  })

  it('RFC 3261 §16.4: what a strict router has done is undone: the last Route is the target again', () => {
    const request = sampleRequest({
      uri: 'sip:us;lr;rr=x',
      headers: [['Route', '<sip:after;lr>, <sip:bob@192.0.2.5>']],
    })
    const { nextHop, message } = written(request, 'sip:bob@192.0.2.5', 0, [], true)
    expect([nextHop, message.uri.toString()]).toEqual(['sip:after;lr', 'sip:bob@192.0.2.5'])
    expect(message.getAll('Route')).toEqual(['<sip:after;lr>'])
  })

  it('RFC 3327 §5.4: the Path of a registration comes before what Route the request has', () => {
    const request = sampleRequest({ headers: [['Route', '<sip:later;lr>']] })
    const { nextHop, message } = written(request, 'sip:bob@192.0.2.5', 0, [route('<sip:edge;lr>')])
    expect(nextHop).toBe('sip:edge;lr')
    expect(message.getAll('Route')).toEqual(['<sip:edge;lr>', '<sip:later;lr>'])
  })
})
