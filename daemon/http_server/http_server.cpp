#include "http_server/http_server.hpp"

#include "http_server/connection_table.hpp"
#include "http_server/lane_queue.hpp"
#include "http_server/sockets.hpp"
#include "os/descriptor.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <list>
#include <mutex>
#include <thread>

#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace sharedrift {

namespace {

using SteadyClock = std::chrono::steady_clock;
using Phase = Connection::Phase;

constexpr int kAcceptedInATurn = 64;
constexpr Millis kWithoutDescriptors{100};
constexpr Millis kLongestSleep{600'000};
std::size_t most_connections(std::size_t wanted) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return std::min<std::size_t>(wanted, files.rlim_cur / 2);
}

/// All but stop(), port() and healthy() runs on the thread of its own, or as a job of a worker's.
class LoopServer final : public HttpServer {
 public:
  LoopServer(const std::vector<int>& sockets, ServerOptions options, ServerHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        port_(port_of_socket(sockets.front())),
        lanes_{{{options_.workers, LaneQueue::Order::by_work},
                {options_.slow_workers, LaneQueue::Order::by_work},
                {options_.slow_workers, LaneQueue::Order::by_work},
                {1, LaneQueue::Order::by_tries}}},
        connections_(most_connections(options_.max_connections)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        workers_(static_cast<std::size_t>(options_.workers + 2 * options_.slow_workers + 1)) {
    for (const int fd : sockets) {
      prepare_listening_socket(fd);
      listening_.emplace_back(fd);
    }
    thread_ = std::jthread([this] { run(); });
  }
  ~LoopServer() override { stop(Millis{0}); }
  LoopServer(const LoopServer&) = delete;
  LoopServer& operator=(const LoopServer&) = delete;

  [[nodiscard]] int port() const override { return port_; }
  [[nodiscard]] bool healthy() const override { return healthy_; }

  void stop(Millis grace) override {
    const std::scoped_lock one_at_a_time(stop_mutex_);
    if (!thread_.joinable()) return;
    cut_at_ = SteadyClock::now() + grace;
    stopping_ = true;
    ::eventfd_write(wake_.get(), 1);  // cannot fail: the counter is far from full
    thread_.join();
    workers_.shutdown();
  }

 private:
  using Place = ConnectionTable::Map::iterator;
  struct Made {
    LaneQueue::Waiting asked;
    Lane lane;
    std::chrono::nanoseconds took;
    HttpAnswer answer;
  };

  void run() noexcept {
    try {
      for (MonoTime now = SteadyClock::now(); !is_done(now);) {
        wait(now);
        now = SteadyClock::now();
        take_answers(now);
        serve_all(now);
        accept_all(now);
        for (const Lane lane : {Lane::quick, Lane::slow, Lane::large, Lane::password})
          start_answers(lane, now);
      }
    } catch (const std::exception&) {  // out of memory
      healthy_ = false;
    }
    connections_.clear();
    listening_.clear();
  }

  bool is_done(MonoTime now) {
    if (!stopping_) return false;
    // Never shutdown(): a socket of systemd's goes on listening for whoever comes next.
    listening_.clear();
    connections_.drop_idle();
    return connections_.all().empty() || now >= cut_at_.load();
  }

  void wait(MonoTime now) {
    polled_.assign(1, {wake_.get(), POLLIN, 0});
    ids_.clear();
    MonoTime next = now + kLongestSleep;
    if (now < accept_at_) next = accept_at_;
    if (stopping_) next = std::min(next, cut_at_.load());
    for (const Descriptor& socket : listening_)
      polled_.push_back({now < accept_at_ ? -1 : socket.get(), POLLIN, 0});
    for (const auto& [id, connection] : connections_.all()) {
      const short wanted = connection.wanted();
      polled_.push_back({wanted == 0 ? -1 : connection.channel().fd(), wanted, 0});
      ids_.push_back(id);
      next = std::min(next, connection.wakes_at());
    }
    const auto left = std::chrono::ceil<Millis>(next - now).count();
    ::poll(polled_.data(), polled_.size(), static_cast<int>(std::max<Millis::rep>(left, 0)));
  }

  void take_answers(MonoTime now) {
    eventfd_t count = 0;
    if (polled_[0].revents == 0 || ::eventfd_read(wake_.get(), &count) != 0) return;
    std::vector<Made> made;
    {
      const std::scoped_lock lock(made_mutex_);
      made.swap(made_);
    }
    for (auto& [asked, lane, took, answer] : made) {
      queue_of(lane).done(asked, took, answer.knew_password, now);
      const auto at = connections_.all().find(asked.id);
      if (at == connections_.all().end()) continue;
      if (answer.later) {
        at->second.postpone(now);
        wait_in(*answer.later, {asked.id, asked.client, std::move(answer.one_by_one)}, now);
      } else {
        at->second.answer(std::move(answer), now);
        serve(at, now);
      }
    }
    for (auto at = connections_.find_slowest_of_too_much(); at != connections_.all().end();
         at = connections_.find_slowest_of_too_much()) {
      tell(Refusal::too_slow, at->second.peer());
      connections_.drop(at);
    }
  }

  void serve_all(MonoTime now) {
    const std::size_t before = polled_.size() - ids_.size();
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const auto at = connections_.all().find(ids_[i]);
      if (at == connections_.all().end()) continue;
      const short events = polled_[before + i].revents;
      at->second.note(events);
      if (events != 0 || at->second.wakes_at() <= now) serve(at, now);
    }
  }

  void serve(Place at, MonoTime now) {
    Connection& connection = at->second;
    for (int turn = 0; turn < 2; ++turn) {  // told before the peer can know
      if (const auto why = connection.take_refusal()) tell(*why, connection.peer());
      if (turn == 0) connection.advance(now);
    }
    if (at->second.phase() == Phase::complete)
      wait_in(Lane::quick, {at->first, at->second.peer().neighbors, {}}, now);
    if (at->second.phase() == Phase::over) connections_.drop(at);
  }

  /// Passwords are checked slowly: those who wait for that must not take all places.
  void wait_in(Lane lane, LaneQueue::Waiting waiting, MonoTime now) {
    queue_of(lane).push(std::move(waiting), now);
    if (lane != Lane::password) return;
    const auto surplus = queue_of(lane).take_surplus(connections_.most() / 2, presence_);
    if (const auto at = surplus ? connections_.all().find(*surplus) : connections_.all().end();
        at != connections_.all().end())
      turn_away(at, now);
  }

  void turn_away(Place at, MonoTime now) {
    at->second.refuse(503, "All places are taken.\n", Refusal::no_place, now);
    serve(at, now);  // so short an answer is sent at once
  }

  void tell(Refusal why, const Peer& peer) const {
    if (options_.on_refused) options_.on_refused(why, peer.address);
  }

  LaneQueue& queue_of(Lane lane) { return lanes_.at(static_cast<std::size_t>(lane)); }

  void start_answers(Lane lane, MonoTime now) {
    while (const auto next = queue_of(lane).take(now, presence_)) {
      Connection& asks = connections_.all().at(next->id);
      // Whom the certificates and the rules of today do not let in may have been let in by older ones.
      const bool of_today = !options_.tls_context || options_.tls_context().get() == asks.channel().context();
      workers_.enqueue([this, lane, next = *next, request = asks.take_request(), of_today] {
        const MonoTime begun = SteadyClock::now();
        ServerRequest known = request->known;
        known.lane = lane;
        HttpAnswer answer = answer_request(request->head, std::move(known), handler_,
                                           options_.keep_alive && of_today && !stopping_);
        const std::scoped_lock lock(made_mutex_);
        made_.push_back({next, lane, SteadyClock::now() - begun, std::move(answer)});
        ::eventfd_write(wake_.get(), 1);
      });
    }
  }

  void accept_all(MonoTime now) {
    std::size_t place = 1;
    for (Descriptor& socket : listening_) {
      if (polled_[place++].revents == 0) continue;
      for (int accepted = 0; accepted < kAcceptedInATurn && accept_one(socket, now); ++accepted) {
      }
    }
  }

  /// Of what accept(2) can fail with, most is the peer's trouble, and passes.
  bool accept_one(Descriptor& socket, MonoTime now) {
    const int fd = ::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      admit(fd, now);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      static_cast<void>(make_room(nullptr, now));
      accept_at_ = now + kWithoutDescriptors;
    } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == EOPNOTSUPP) {
      healthy_ = false;
      socket.reset();
    }
    return fd >= 0;
  }

  void admit(int fd, MonoTime now) {
    const Peer peer = peer_of_socket(fd);
    const std::shared_ptr<ssl_ctx_st> tls = options_.tls_context ? options_.tls_context() : nullptr;
    // No certificate to serve with: closed, not open.
    const bool lacks_tls = options_.tls_context && !tls;
    if (lacks_tls || (!connections_.has_room(peer) && !make_room(&peer, now))) {
      tell(lacks_tls ? Refusal::no_certificate : Refusal::no_place, peer);
      ::close(fd);
      return;
    }
    serve(connections_.add(fd, tls.get(), options_, peer, now), now);
  }

  /// Takes a place from somebody for the newcomer. False if nobody may lose his.
  bool make_room(const Peer* newcomer, MonoTime now) {
    auto victim = connections_.find_victim(ids_, newcomer, now);
    if (victim == connections_.all().end()) return false;
    if (victim->second.phase() != Phase::complete) {
      tell(Refusal::no_place, victim->second.peer());
      connections_.drop(victim);
      return true;
    }
    // Of those who wait for a password to be checked, who tried most, not just anybody.
    const auto surplus = queue_of(Lane::password).take_surplus(connections_.most() / 8, presence_);
    if (const auto other = surplus ? connections_.all().find(*surplus) : connections_.all().end();
        other != connections_.all().end())
      victim = other;
    const std::uint64_t id = victim->first;
    turn_away(victim, now);
    if (const auto left = connections_.all().find(id); left != connections_.all().end())
      connections_.drop(left);
    return true;
  }

  const ServerOptions options_;
  const ServerHandler handler_;
  const int port_;
  std::array<LaneQueue, 4> lanes_;
  std::list<Descriptor> listening_;
  ConnectionTable connections_;
  const LaneQueue::Look presence_ = [this](std::uint64_t id) {
    const auto at = connections_.all().find(id);
    if (at == connections_.all().end()) return LaneQueue::Presence::gone;
    return at->second.has_left() ? LaneQueue::Presence::left : LaneQueue::Presence::here;
  };
  MonoTime accept_at_{};
  std::vector<pollfd> polled_;      ///< wake_, listening_, then the connections
  std::vector<std::uint64_t> ids_;  ///< of those

  Descriptor wake_;
  std::mutex made_mutex_;
  std::vector<Made> made_;  ///< guarded by made_mutex_
  std::atomic<bool> healthy_{true};
  std::atomic<bool> stopping_{false};
  std::atomic<MonoTime> cut_at_{};
  std::mutex stop_mutex_;
  httplib::ThreadPool workers_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::start(const std::vector<int>& sockets,
                                                                   ServerOptions options,
                                                                   ServerHandler handler) {
  try {
    return std::unique_ptr<HttpServer>(
        std::make_unique<LoopServer>(sockets, std::move(options), std::move(handler)));
  } catch (const std::exception& error) {  // no memory
    return Err("cannot serve: " + std::string(error.what()));
  }
}

}  // namespace sharedrift
