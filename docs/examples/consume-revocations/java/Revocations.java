// Keeps the set of what is revoked, from Kafka: java -cp 'libs/*' Revocations.java BROKERS [TOPIC_PREFIX] [STALE_AFTER_SECONDS]
// Logs in where KAFKA_USERNAME and KAFKA_PASSWORD are set; KAFKA_TLS=on.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.Instant;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Revocations {
  record Place(int partition, String source) {}
  record Target(String kind, String id) {}
  record Cutoff(long issuedBefore, long since) {} // Long.MAX_VALUE: all tokens

  static final List<String> sources = List.of("clients", "consent", "token");
  static final long hour = 3_610_000; // no token lives longer, plus the clocks' difference
  static final ObjectMapper json = new ObjectMapper();
  final Map<Target, Cutoff> revoked = new HashMap<>(); // what a token is compared with
  final Map<Place, Long> last = new HashMap<>(); // the last logseq
  final Map<Place, Long> heard = new HashMap<>(); // when it had said everything
  String state = "starting";

  public static void main(String[] args) throws Exception {
    var topic = (args.length > 1 ? args[1] : "") + "grantlog.revocations.v1";
    long staleAfter = args.length > 2 ? Long.parseLong(args[2]) * 1000 : 10_000;
    // no group: it reads every partition, from where it says
    var consumer = new KafkaConsumer<>(settings(args[0]), new StringDeserializer(), new StringDeserializer());
    Runtime.getRuntime().addShutdownHook(new Thread(consumer::wakeup));
    var partitions = consumer.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition())).toList();
    var begins = new HashMap<TopicPartition, Long>();
    for (var partition : partitions) begins.put(partition, System.currentTimeMillis() - hour);
    var ends = consumer.endOffsets(partitions);
    consumer.assign(partitions);
    consumer.offsetsForTimes(begins).forEach((at, found) -> consumer.seek(at, found == null ? ends.get(at) : found.offset()));
    var our = new Revocations();
    try (consumer) {
      while (true) {
        for (var message : consumer.poll(Duration.ofMillis(250))) {
          var previous = new String(message.headers().lastHeader("previous").value());
          our.take(message.partition(), json.readTree(message.value()), Long.parseLong(previous));
        }
        our.look(partitions, staleAfter);
      }
    } catch (WakeupException stopped) {
      // SIGTERM
    } catch (IllegalStateException gap) {
      System.err.println(gap.getMessage());
      System.exit(1);
    }
  }

  static Map<String, Object> settings(String brokers) {
    var username = System.getenv("KAFKA_USERNAME");
    var tls = "on".equals(System.getenv("KAFKA_TLS")) ? "SSL" : "PLAINTEXT";
    if (username == null) return Map.of("bootstrap.servers", brokers, "security.protocol", tls);
    var login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";"
        .formatted(username, System.getenv("KAFKA_PASSWORD"));
    return Map.of("bootstrap.servers", brokers, "security.protocol", "SASL_" + tls,
        "sasl.mechanism", "SCRAM-SHA-512", "sasl.jaas.config", login);
  }

  void take(int partition, JsonNode event, long previous) {
    var place = new Place(partition, event.get("source").asText());
    var data = event.get("data");
    var known = last.get(place); // null: what came before, we did not read
    if (event.get("type").asText().equals("feed.heartbeat.v1")) {
      long said = data.get("logSeq").asLong();
      if (known != null && said > known) throw new IllegalStateException(place + ": " + said + " never came, only " + known);
      last.putIfAbsent(place, said);
      heard.merge(place, Instant.parse(data.get("time").asText()).toEpochMilli(), Math::max);
      return;
    }
    long logseq = event.get("logseq").asLong();
    if (known != null && logseq <= known) return; // a duplicate
    if (known != null && previous != known) throw new IllegalStateException(place + ": a gap between " + known + " and " + logseq);
    last.put(place, logseq);
    if (!event.get("type").asText().equals("token.revoked.v1")) return;
    revoke(data.get("target").get("kind").asText(), data.get("target").get("id").asText(), data.get("issuedBefore"));
  }

  void revoke(String kind, String id, JsonNode issuedBefore) {
    long cutoff = issuedBefore.isNull() ? Long.MAX_VALUE : issuedBefore.asLong();
    var before = revoked.get(new Target(kind, id));
    if (before != null && before.issuedBefore() >= cutoff) return;
    revoked.put(new Target(kind, id), new Cutoff(cutoff, System.currentTimeMillis()));
    System.out.println(json.createObjectNode().put("kind", kind).put("id", id).set("issuedBefore", issuedBefore));
  }

  void look(List<TopicPartition> partitions, long staleAfter) {
    long oldest = Long.MAX_VALUE;
    for (var partition : partitions)
      for (var source : sources) oldest = Math.min(oldest, heard.getOrDefault(new Place(partition.partition(), source), 0L));
    var now = System.currentTimeMillis() - oldest <= staleAfter ? "ready" : "stale";
    if (!now.equals(state) && (now.equals("ready") || state.equals("ready"))) { // until it was ready once, it is starting
      state = now;
      System.out.println(json.createObjectNode().put("state", now));
    }
    revoked.entrySet().removeIf(each ->
        each.getValue().since() < System.currentTimeMillis() - hour && !each.getKey().kind().equals("key"));
  }
}
