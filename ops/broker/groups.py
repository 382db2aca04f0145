"""Consumer groups: membership, generations, static members, and offsets, those of open transactions apart."""

import asyncio
import uuid

NONE = 0
ILLEGAL_GENERATION = 22
INCONSISTENT_PROTOCOL = 23
UNKNOWN_MEMBER = 25
REBALANCE_IN_PROGRESS = 27
MEMBER_ID_REQUIRED = 79
FENCED_INSTANCE = 82


class Member:
    def __init__(self, id, instance, session, rebalance, protocols):
        self.id = id
        self.instance = instance
        self.session = session
        self.rebalance = rebalance
        self.protocols = protocols
        self.assignment = b""
        self.joining = None
        self.syncing = None
        self.expiry = None


class Group:
    """
         join            all rejoined, or time is up       leader has synced
    empty ────▶ preparing ─────────────────▶ completing ────────────────────▶ stable
                    ▲      join, leave, expiry  │               join, leave, expiry │
                    └───────────────────────────┴───────────────────────────────────┘
    """

    def __init__(self, name):
        self.name = name
        self.state = "empty"
        self.generation = 0
        self.protocol_type = ""
        self.protocol = ""
        self.leader = None
        self.members = {}
        self.static = {}
        self.announced = set()
        self.offsets = {}
        # Producer id to what its open transaction has for this group.
        self.pending = {}
        self.deadline = None

    # Membership

    async def join(self, member_id, instance, session, rebalance, protocol_type, protocols, version):
        """(error, generation, protocol, leader, member id, members for the leader)"""
        loop = asyncio.get_running_loop()
        if instance is not None and member_id and self.static.get(instance) not in (None, member_id):
            return FENCED_INSTANCE, -1, "", "", member_id, []
        if member_id and member_id not in self.members:
            if member_id not in self.announced:
                return UNKNOWN_MEMBER, -1, "", "", "", []
            self.announced.remove(member_id)
        elif not member_id:
            if instance is None and version >= 4:
                # Given first and joined with then, so that a request that is sent twice is one member, not two.
                member_id = f"member-{uuid.uuid4()}"
                self.announced.add(member_id)
                return MEMBER_ID_REQUIRED, -1, "", "", member_id, []
            member_id = f"{instance or 'member'}-{uuid.uuid4()}"
        if self.members and self.protocol_type and protocol_type != self.protocol_type:
            return INCONSISTENT_PROTOCOL, -1, "", "", member_id, []
        self.protocol_type = protocol_type

        takes_over = instance is not None and instance in self.static and self.static[instance] != member_id
        if takes_over:
            # A static member is back: the same member under a new id. The old id is fenced from here on.
            old = self._remove(self.static[instance])
            member = Member(member_id, instance, session, rebalance, protocols)
            member.assignment = old.assignment
            self._add(member)
            was_leader = self.leader == old.id
            if was_leader:
                self.leader = member_id
            if self.state == "stable" and old.protocols == protocols:
                # Named after the old id, so that nobody takes itself for a leader with work to do.
                return NONE, self.generation, self.protocol, old.id if was_leader else self.leader, member_id, []
        elif member_id in self.members:
            member = self.members[member_id]
            unchanged = member.protocols == protocols
            member.protocols, member.session, member.rebalance = protocols, session, rebalance
            if self.state == "stable" and unchanged and member_id != self.leader:
                self.touch(member)
                return NONE, self.generation, self.protocol, self.leader, member_id, []
        else:
            member = Member(member_id, instance, session, rebalance, protocols)
            self._add(member)

        self.touch(member)
        self._prepare()
        member.joining = loop.create_future()
        self._complete_if_joined()
        return await member.joining

    def _add(self, member):
        self.members[member.id] = member
        if member.instance is not None:
            self.static[member.instance] = member.id
        self.touch(member)

    def _remove(self, member_id):
        member = self.members.pop(member_id)
        if member.expiry:
            member.expiry.cancel()
        for future, answer in ((member.joining, (UNKNOWN_MEMBER, -1, "", "", "", [])), (member.syncing, None)):
            if future is not None and not future.done():
                future.set_result(answer or (UNKNOWN_MEMBER, b""))
        if member.instance is not None and self.static.get(member.instance) == member_id:
            del self.static[member.instance]
        return member

    def touch(self, member):
        """A sign of life."""
        if member.expiry:
            member.expiry.cancel()
        member.expiry = asyncio.get_running_loop().call_later(member.session / 1000, self._expire, member)

    def _expire(self, member):
        if self.members.get(member.id) is not member:
            return
        if member.joining is not None and not member.joining.done():
            self.touch(member)
            return
        self.leave(member.id)

    def leave(self, member_id):
        if member_id not in self.members:
            return UNKNOWN_MEMBER
        self._remove(member_id)
        if not self.members:
            self._become_empty()
        elif self.state == "preparing":
            self._complete_if_joined()
        else:
            self._prepare()
        return NONE

    def _become_empty(self):
        self.state, self.leader, self.protocol_type = "empty", None, ""
        self.generation += 1
        if self.deadline:
            self.deadline.cancel()

    def _prepare(self):
        if self.state == "preparing":
            return
        if self.state == "completing":
            for member in self.members.values():
                if member.syncing is not None and not member.syncing.done():
                    member.syncing.set_result((REBALANCE_IN_PROGRESS, b""))
        self.state = "preparing"
        patience = max((member.rebalance for member in self.members.values()), default=60_000)
        self.deadline = asyncio.get_running_loop().call_later(patience / 1000, self._give_up_waiting)

    def _give_up_waiting(self):
        if self.state != "preparing":
            return
        for member in list(self.members.values()):
            if member.joining is None or member.joining.done():
                self._remove(member.id)
        if self.members:
            self._complete_if_joined()
        else:
            self._become_empty()

    def _complete_if_joined(self):
        members = list(self.members.values())
        if self.state != "preparing" or any(m.joining is None or m.joining.done() for m in members):
            return
        self.deadline.cancel()
        self.generation += 1
        names = [name for name, _ in members[0].protocols]
        common = [name for name in names if all(name in dict(m.protocols) for m in members)]
        if not common:
            for member in members:
                member.joining.set_result((INCONSISTENT_PROTOCOL, -1, "", "", member.id, []))
            self.members, self.static = {}, {}
            self._become_empty()
            return
        self.protocol = common[0]
        if self.leader not in self.members:
            self.leader = members[0].id
        self.state = "completing"
        for member in members:
            member.assignment = b""
            everyone = []
            if member.id == self.leader:
                everyone = [(m.id, m.instance, dict(m.protocols)[self.protocol]) for m in members]
            self.touch(member)
            member.joining.set_result((NONE, self.generation, self.protocol, self.leader, member.id, everyone))

    async def sync(self, member_id, instance, generation, assignments):
        """(error, assignment)"""
        error = self.check(member_id, instance, generation)
        if error:
            return error, b""
        member = self.members[member_id]
        self.touch(member)
        if self.state == "preparing":
            return REBALANCE_IN_PROGRESS, b""
        if self.state == "stable":
            return NONE, member.assignment
        member.syncing = asyncio.get_running_loop().create_future()
        if member_id == self.leader:
            for id, assignment in assignments:
                if id in self.members:
                    self.members[id].assignment = assignment
            self.state = "stable"
            for other in self.members.values():
                if other.syncing is not None and not other.syncing.done():
                    other.syncing.set_result((NONE, other.assignment))
        return await member.syncing

    def heartbeat(self, member_id, instance, generation):
        error = self.check(member_id, instance, generation)
        if error:
            return error
        self.touch(self.members[member_id])
        return REBALANCE_IN_PROGRESS if self.state == "preparing" else NONE

    def check(self, member_id, instance, generation):
        """Whether a request comes from a member of this generation."""
        if instance is not None and self.static.get(instance) not in (None, member_id):
            return FENCED_INSTANCE
        if member_id not in self.members:
            return UNKNOWN_MEMBER
        return NONE if generation == self.generation else ILLEGAL_GENERATION

    # Offsets

    def may_commit(self, member_id, instance, generation, transactional):
        if generation < 0 and not member_id:
            # Kafka takes the commits of those who are in no group as long as the group is empty; those of a
            # transaction always, for producers that know nothing of groups.
            return NONE if transactional or not self.members else UNKNOWN_MEMBER
        error = self.check(member_id, instance, generation)
        if error:
            return error
        if not transactional:
            self.touch(self.members[member_id])
            if self.state == "completing":
                return REBALANCE_IN_PROGRESS
        return NONE

    def end_transaction(self, producer, committed):
        offsets = self.pending.pop(producer, {})
        if committed:
            self.offsets.update(offsets)
