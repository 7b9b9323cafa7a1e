import { expect, test } from 'vitest'

import { toldOfRed, withRed } from '@/protocol/rooms/redundancy'

const HEAD = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n'
const audio = (mid: number, types: string, ...lines: string[]): string =>
  [`m=audio 9 UDP/TLS/RTP/SAVPF ${types}`, `a=mid:${mid}`, ...lines, ''].join('\r\n')
const OPUS = ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1']
const MUSIC = ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 stereo=1;useinbandfec=1']
const RED = ['a=rtpmap:63 red/48000/2', 'a=fmtp:63 111/111']
const VIDEO = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=rtpmap:96 VP8/90000\r\n'

test('a voice is answered with RED before Opus; music, pictures and the head stay as they are', () => {
  const offer = HEAD + audio(0, '111 63', ...OPUS, ...RED) + audio(1, '111 63', ...MUSIC, ...RED) + VIDEO
  const answer = HEAD + audio(0, '111', ...OPUS) + audio(1, '111', ...MUSIC) + VIDEO
  const expected = HEAD + audio(0, '63 111', ...RED, ...OPUS) + audio(1, '111', ...MUSIC) + VIDEO
  expect(withRed(answer, offer)).toBe(expected)
  expect(withRed(expected, offer)).toBe(expected)
})

test('a browser that offers no RED is answered without it', () => {
  const answer = HEAD + audio(0, '111', ...OPUS)
  expect(withRed(answer, HEAD + audio(0, '111', ...OPUS))).toBe(answer)
  expect(withRed(answer, HEAD + audio(5, '111 63', ...OPUS, ...RED))).toBe(answer)
  expect(withRed('', '')).toBe('')
})

test('the server is told of RED only where both sides know it', () => {
  const opus = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }
  const red = {
    kind: 'audio' as const,
    mimeType: 'audio/red',
    preferredPayloadType: 63,
    clockRate: 48_000,
    channels: 2,
  }
  const told = toldOfRed({ codecs: [opus] }, { codecs: [red] })
  expect(told.codecs).toMatchObject([
    opus,
    { mimeType: 'audio/red', payloadType: 63, parameters: { '': '111/111' } },
  ])
  expect(toldOfRed({ codecs: [opus] }, { codecs: [] }).codecs).toEqual([opus])
})
