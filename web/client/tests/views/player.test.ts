import { describe, expect, it } from 'vitest'

import type { Interval } from '@/protocol/http/recordingShapes'
import { commandOf, speedBeside } from '@/views/recordings/player/commands'
import { variantsOf, wayOf } from '@/views/recordings/player/quality'
import { chapterAt, lacking, missing, pictureAt } from '@/views/recordings/player/marks'

const key = (name: string, held: Partial<KeyboardEvent> = {}) =>
  commandOf({ key: name, ctrlKey: false, altKey: false, metaKey: false, ...held })

describe('keys of the player', () => {
  it.each([
    [' ', { name: 'toggle' }],
    ['K', { name: 'toggle' }],
    ['ArrowLeft', { name: 'seekBy', by: -10 }],
    ['ArrowUp', { name: 'louder', by: 0.1 }],
    ['<', { name: 'faster', by: -1 }],
    ['7', { name: 'seekTo', share: 0.7 }],
    ['F', { name: 'fullscreen' }],
    ['Tab', null],
    ['Enter', null],
  ])('%s', (name, command) => {
    expect(key(name)).toEqual(command)
  })

  it('leaves the browser its own', () => {
    expect(key('f', { ctrlKey: true })).toBeNull()
    expect(key('ArrowLeft', { altKey: true })).toBeNull()
  })

  it('goes from speed to speed and no further', () => {
    expect(speedBeside(1, 1)).toBe(1.25)
    expect(speedBeside(2, 1)).toBe(2)
    expect(speedBeside(0.5, -1)).toBe(0.5)
    expect(speedBeside(1.3, -1)).toBe(1)
  })
})

describe('marks on the seek bar', () => {
  const strip = { intervalSeconds: 10, columns: 3, count: 7, width: 160, height: 90 }

  it.each([
    [0, 0, 0],
    [29, 320, 0],
    [30, 0, 90],
    [9999, 0, 180],
    [-5, 0, 0],
  ])('second %s is at %s, %s', (seconds, x, y) => {
    expect(pictureAt(strip, seconds)).toEqual({ x, y })
  })

  it.each<[Interval[], Interval[]]>([
    [[], [[0, 100]]],
    [[[0, 100]], []],
    [[[0, 40]], [[40, 100]]],
    [
      [
        [10, 20],
        [20.4, 99.5],
      ],
      [[0, 10]],
    ],
  ])('what is missing', (watched, gaps) => {
    expect(missing(watched, 100)).toEqual(gaps)
  })

  it('knows the chapter of a moment', () => {
    const chapters = [
      { startSeconds: 5, title: '一' },
      { startSeconds: 50, title: '二' },
    ]
    expect(chapterAt(chapters, 1)).toBeNull()
    expect(chapterAt(chapters, 50)?.title).toBe('二')
  })
})

describe('what a film lacks', () => {
  const lack = (name: string, ...spans: Interval[]) => ({
    name,
    apart: '',
    kind: 'camera',
    seconds: 1,
    spans,
  })
  const lacks = [lack('a', [3, 5], [8, 9]), lack('b', [4, 6]), lack('c', [8, 8]), lack('d')]

  it.each([
    [2.9, ''],
    [3, 'a'],
    [4.5, 'ab'],
    [5, 'b'],
    [8.5, 'ac'],
    [9, ''],
  ])('at %s s', (at, names) => {
    expect(
      lacking(lacks, at)
        .map(({ name }) => name)
        .join(''),
    ).toBe(names)
  })
})

describe('the sizes of a stream', () => {
  it('are read out of the master playlist, the largest first', () => {
    const master = [
      '#EXTM3U',
      '#EXT-X-STREAM-INF:BANDWIDTH=180000,RESOLUTION=426x240,CODECS="avc1.4d401f,mp4a.40.2"',
      '240p.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=1280x720',
      '720p.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=1',
      'soundonly.m3u8',
      '#EXT-X-STREAM-INF:RESOLUTION=1x2',
      'https://elsewhere.example/1.m3u8',
      '#EXT-X-STREAM-INF:RESOLUTION=1x2',
    ].join('\r\n')
    expect(variantsOf(master)).toEqual([
      { height: 720, playlist: '720p.m3u8' },
      { height: 240, playlist: '240p.m3u8' },
    ])
    expect(variantsOf('')).toEqual([])
  })

  it.each([
    [{ feed: true, stream: true }, true, 'script'],
    [{ feed: false, stream: true }, true, 'native'],
    [{ feed: false, stream: false }, true, 'file'],
    [{ feed: true, stream: true }, false, 'file'],
  ] as const)('come to a browser that can %o, streamed %s, as %s', (can, streamed, way) => {
    expect(wayOf(can, streamed)).toBe(way)
  })
})
