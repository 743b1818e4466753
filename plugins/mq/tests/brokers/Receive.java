import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;

/**
 * Receives messages by JMS, and writes them as AWS does: a line of JSON for each line that it reads.
 *
 * <p>receive QUEUE MOST MILLISECONDS, acknowledge, recover; anything else is answered by an empty list.
 */
class Receive {
    // What fails comes again at once, as often as it fails.
    private static final String OPTIONS =
            "?jms.redeliveryPolicy.initialRedeliveryDelay=0&jms.redeliveryPolicy.redeliveryDelay=0"
                    + "&jms.redeliveryPolicy.maximumRedeliveries=-1&jms.prefetchPolicy.queuePrefetch=100";

    public static void main(String[] arguments) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(arguments[0] + OPTIONS).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Map<String, MessageConsumer> consumers = new LinkedHashMap<>();
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Message last = null;
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            List<Object> answer = new ArrayList<>();
            if (words[0].equals("receive")) {
                if (!consumers.containsKey(words[1])) {
                    consumers.put(words[1], session.createConsumer(session.createQueue(words[1])));
                }
                while (answer.size() < Integer.parseInt(words[2])) {
                    Message message = consumers.get(words[1]).receive(Long.parseLong(words[3]));
                    if (message == null) {
                        break;
                    }
                    last = message;
                    answer.add(written(message));
                }
            } else if (words[0].equals("acknowledge")) {
                last.acknowledge();
            } else if (words[0].equals("recover")) {
                session.recover();
            }
            System.out.println(mapper.writeValueAsString(answer));
        }
        connection.close();
    }

    private static Map<String, Object> written(Message message) throws Exception {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("messageID", message.getJMSMessageID());
        fields.put("messageType", message instanceof TextMessage ? "jms/text-message" : "jms/bytes-message");
        fields.put("deliveryMode", message.getJMSDeliveryMode());
        fields.put("replyTo", String.valueOf(message.getJMSReplyTo()));
        fields.put("type", message.getJMSType());
        fields.put("expiration", message.getJMSExpiration());
        fields.put("priority", message.getJMSPriority());
        fields.put("correlationID", message.getJMSCorrelationID());
        fields.put("redelivered", message.getJMSRedelivered());
        fields.put("destination", Map.of("physicalName", ((ActiveMQQueue) message.getJMSDestination()).getPhysicalName()));
        fields.put("data", Base64.getEncoder().encodeToString(content(message)));
        fields.put("timestamp", message.getJMSTimestamp());
        fields.put("brokerInTime", ((ActiveMQMessage) message).getBrokerInTime());
        fields.put("brokerOutTime", ((ActiveMQMessage) message).getBrokerOutTime());
        Map<String, Object> properties = new LinkedHashMap<>();
        for (Object name : Collections.list(message.getPropertyNames())) {
            properties.put((String) name, message.getStringProperty((String) name));
        }
        fields.put("properties", properties);
        return fields;
    }

    private static byte[] content(Message message) throws Exception {
        if (message instanceof TextMessage) {
            return ((TextMessage) message).getText().getBytes(StandardCharsets.UTF_8);
        }
        BytesMessage bytes = (BytesMessage) message;
        byte[] data = new byte[(int) bytes.getBodyLength()];
        bytes.readBytes(data);
        return data;
    }
}
