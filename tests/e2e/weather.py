"""What tc's netem does to datagrams (loss, delay, jitter, and so reordering), at the phones' end, since not every kernel
has it; and the loop in which many phones hear and speak through it. The dice have a seed."""
import heapq
import itertools
import random
import selectors
import socket
import time

from phone import Message
from watcher import Watcher

T1 = 0.3  # after which a phone says again what was not answered


class Weather:
    """Shares are of 1, times are seconds. A straggler comes when those behind it are long there."""

    def __init__(self, seed, loss, delay=0.0, jitter=0.0, stragglers=0.0):
        self.dice = random.Random(seed)
        self.loss, self.delay, self.jitter, self.stragglers = loss, delay, jitter, stragglers
        self.selector = selectors.DefaultSelector()
        self.air, self.numbers = [], itertools.count()
        self.carried = self.lost = 0

    def join(self, phone):
        phone.socket.setblocking(False)
        phone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.selector.register(phone.socket, selectors.EVENT_READ, phone)

    def leave(self, phone):
        self.selector.unregister(phone.socket)

    def carry(self, deliver, what):
        """One datagram, either way."""
        self.carried += 1
        if self.dice.random() < self.loss:
            self.lost += 1
            return
        late = self.delay + self.dice.uniform(-self.jitter, self.jitter)
        if self.dice.random() < self.stragglers:
            late += self.dice.uniform(0, 2 * T1)
        heapq.heappush(self.air, (time.monotonic() + late, next(self.numbers), deliver, what))

    def turn(self):
        while self.air and self.air[0][0] <= time.monotonic():
            _, _, deliver, what = heapq.heappop(self.air)
            deliver(what)
        for key, _ in self.selector.select(0.002 if self.air else 0.02):
            for _ in range(20):
                try:
                    self.carry(key.data.take, key.data.socket.recv(65536))
                except OSError:
                    break

    def serve(self, seconds, done=lambda: False):
        """Whatever comes, for so long, or until that is true; whether it is."""
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self.turn()
        return done()


class Outdoors(Watcher):
    """A phone in some weather, which says again what is not answered (RFC 3261 17.1.2)."""

    def __init__(self, weather, user, **how):
        super().__init__(user, **how)
        self.weather, self.asked = weather, ""
        weather.join(self)

    def close(self):
        self.weather.leave(self)
        super().close()

    def send(self, text):
        if not text.startswith("SIP/2.0 "):
            self.asked = text
        self.weather.carry(self.put, text)

    def put(self, text):
        try:
            super().send(text)
        except OSError:  # nobody is there while the server starts again
            pass

    def take(self, datagram):
        self._sort(Message(datagram.decode()))

    def hear_until(self, done, seconds):
        self.weather.serve(seconds, done)

    def answer_to(self, call_id, cseq, seconds=60, text=""):
        end = time.monotonic() + seconds
        text, wanted = text or self.asked, (call_id, cseq)
        while not self.weather.serve(T1, lambda: wanted in self.answers):
            assert time.monotonic() < end, f"no answer to {cseq} in {seconds} s"
            self.send(text)
        return self.answers.pop(wanted)
