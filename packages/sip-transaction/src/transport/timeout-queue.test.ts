import { describe, expect, it } from 'vitest'
import { TimeoutQueue } from './timeout-queue'

describe('TimeoutQueue', () => {
  it('hands over what is due, in due order, once', () => {
    const queue = new TimeoutQueue<string>(100)
    queue.start('a', 0)
    queue.start('b', 10)
    queue.start('c', 20)
    const due: string[] = []
    queue.expire(99, (item) => due.push(item))
    expect(due).toEqual([])
    queue.expire(110, (item) => due.push(item))
    expect(due).toEqual(['a', 'b'])
    expect(queue.deadline()).toBe(120)
    queue.expire(500, (item) => due.push(item))
    queue.expire(500, (item) => due.push(item))
    expect(due).toEqual(['a', 'b', 'c'])
    expect(queue.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('starts anew, or leaves alone, or stops what runs', () => {
    const queue = new TimeoutQueue<string>(100)
    queue.start('a', 0)
    queue.start('b', 0)
    queue.start('c', 0)
    queue.start('a', 50)
    queue.startOnce('b', 50)
    queue.stop('c')
    const due: string[] = []
    queue.expire(100, (item) => due.push(item))
    expect(due).toEqual(['b'])
    expect(queue.size).toBe(1)
    expect(queue.deadline()).toBe(150)
  })

  it('bears an item being started again while it is handed over', () => {
    const queue = new TimeoutQueue<string>(100)
    queue.start('a', 0)
    let count = 0
    queue.expire(100, (item) => {
      count++
      queue.start(item, 100)
    })
    expect(count).toBe(1)
    expect(queue.deadline()).toBe(200)
  })
})
