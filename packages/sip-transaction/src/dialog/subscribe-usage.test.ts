import { describe, expect, it } from 'vitest'
import {
  comebackFor,
  endsSubscription,
  type SubscriberInput,
  type SubscriberState,
  SubscriberUsage,
  subscriberDefinition,
} from './subscribe-usage'
import {
  endsNotifier,
  type NotifierInput,
  type NotifierState,
  NotifierUsage,
  notifierDefinition,
} from './subscribe-usage-notifier'

const subscriberPaths: Readonly<Record<Exclude<SubscriberState, 'terminated'>, readonly SubscriberInput[]>> = {
  'notify-wait': [],
  pending: ['notify-pending'],
  active: ['notify-active'],
  leaving: ['unsubscribe'],
}

const notifierPaths: Readonly<Record<Exclude<NotifierState, 'terminated'>, readonly NotifierInput[]>> = {
  idle: [],
  notifying: ['notify'],
  stale: ['notify', 'notify'],
  ending: ['notify', 'finish'],
  last: ['finish'],
}

describe('SubscriberUsage', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(subscriberPaths) as [
      keyof typeof subscriberPaths,
      readonly SubscriberInput[],
    ][]) {
      for (const input of Object.keys(subscriberDefinition.inputs) as SubscriberInput[]) {
        const usage = new SubscriberUsage()
        for (const each of path) usage.handle(each)
        expect(usage.state).toBe(state)
        const decision = subscriberDefinition.table[state][input]
        const action = usage.handle(input)
        if (typeof decision === 'string') expect([usage.state, action]).toEqual([state, 'ignore'])
        else expect([usage.state, action]).toEqual([decision.next, decision.run[0]])
      }
    }
  })

  it('RFC 6665 §4.1.2: nothing moves it once it is over', () => {
    const usage = new SubscriberUsage()
    usage.handle('notify-terminated')
    for (const input of Object.keys(subscriberDefinition.inputs) as SubscriberInput[])
      expect(usage.handle(input)).toBe('ignore')
    expect(usage.isAlive).toBe(false)
  })

  it('RFC 6665 §4.1.2.2: knows the answers after which there is nothing left to refresh', () => {
    for (const status of [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])
      expect([endsSubscription(status), endsNotifier(status)], `${status}`).toEqual([true, true])
    for (const status of [400, 401, 423, 486, 500, 503, 603]) expect(endsSubscription(status), `${status}`).toBe(false)
  })

  it('RFC 6665 §4.1.3: knows by the reason whether and when to come again', () => {
    expect(['rejected', 'noresource', 'invariant'].map((reason) => comebackFor(reason, 5))).toEqual([
      'never',
      'never',
      'never',
    ])
    expect(['deactivated', 'timeout'].map((reason) => comebackFor(reason, 5))).toEqual([
      { afterSeconds: 0 },
      { afterSeconds: 0 },
    ])
    expect(['probation', 'giveup', undefined, 'x'].map((reason) => comebackFor(reason, 5))).toEqual(
      Array.from({ length: 4 }, () => ({ afterSeconds: 5 })),
    )
  })
})

describe('NotifierUsage', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(notifierPaths) as [
      keyof typeof notifierPaths,
      readonly NotifierInput[],
    ][]) {
      for (const input of Object.keys(notifierDefinition.inputs) as NotifierInput[]) {
        const usage = new NotifierUsage()
        for (const each of path) usage.handle(each)
        expect(usage.state).toBe(state)
        const decision = notifierDefinition.table[state][input]
        const action = usage.handle(input)
        if (typeof decision === 'string') expect([usage.state, action]).toEqual([state, 'ignore'])
        else expect([usage.state, action]).toEqual([decision.next, decision.run[0]])
      }
    }
  })

  it('RFC 6665 §4.2.2: the last NOTIFY follows the one under way, and nothing follows the last', () => {
    const usage = new NotifierUsage()
    expect(usage.handle('notify')).toBe('send')
    expect(usage.handle('finish')).toBe('finish')
    expect(usage.handle('notify')).toBe('ignore')
    expect(usage.handle('notify-accepted')).toBe('send-last')
    expect(usage.handle('notify-accepted')).toBe('end')
    expect(usage.handle('notify')).toBe('ignore')
  })
})
