import { describe, expect, it } from 'vitest'
import { Negotiation, type NegotiationInput, type NegotiationState, negotiationDefinition } from './negotiation'

const paths: Readonly<Record<Exclude<NegotiationState, 'terminated'>, readonly NegotiationInput[]>> = {
  stable: [],
  'local-offer': ['send'],
  'remote-offer': ['receive'],
}

describe('Negotiation', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(paths) as [keyof typeof paths, readonly NegotiationInput[]][]) {
      for (const input of Object.keys(negotiationDefinition.inputs) as NegotiationInput[]) {
        const negotiation = new Negotiation()
        for (const each of path) negotiation.handle(each)
        const decision = negotiationDefinition.table[state][input]
        const verdict = negotiation.handle(input)
        if (typeof decision === 'string') expect([negotiation.state, verdict]).toEqual([state, 'none'])
        else expect([negotiation.state, verdict]).toEqual([decision.next, decision.run[0]])
      }
    }
  })

  it('RFC 3264 §4: offer and answer alternate, whoever begins', () => {
    const local = new Negotiation()
    expect([local.handle('send'), local.handle('receive'), local.state]).toEqual(['offer', 'answer', 'stable'])
    expect([local.handle('receive'), local.handle('send'), local.state]).toEqual(['offer', 'answer', 'stable'])
  })

  it('RFC 3311 §5.2: a second offer is glare or pending, and a failure abandons the first', () => {
    const negotiation = new Negotiation()
    negotiation.handle('send')
    expect(negotiation.handle('send')).toBe('glare')
    negotiation.handle('abandon')
    negotiation.handle('receive')
    expect(negotiation.handle('receive')).toBe('pending')
  })

  it('RFC 3261 §13.2.1: after the answer in a reliable response, those of later responses are copies', () => {
    const asking = new Negotiation()
    expect(asking.invite('send', true)).toBe('offer')
    expect([asking.response('receive'), asking.state]).toEqual(['answer', 'stable'])
    expect([asking.response('receive'), asking.state]).toEqual(['none', 'stable'])
    expect(asking.handle('send')).toBe('offer')
    expect(asking.response('receive')).toBe('none')
    expect(asking.state).toBe('local-offer')
  })

  it('RFC 3262 §5: a late offer in a reliable response is answered in the PRACK', () => {
    const answering = new Negotiation()
    expect(answering.invite('receive', false)).toBe('none')
    expect(answering.response('send')).toBe('offer')
    expect([answering.handle('receive'), answering.state]).toEqual(['answer', 'stable'])
    expect(answering.response('send')).toBe('none')
    expect(answering.invite('receive', true)).toBe('offer')
    expect(answering.response('send')).toBe('answer')
  })
})
